//! Conversion of values to columns and back. Values from the file are not trusted.

use std::str::FromStr;

use jiff::Timestamp;
use mailhaul_mail::Uid;

use crate::db::{
    error::Fault,
    sql::{Read, Row},
};

/// Largest accepted number (32 TiB, or a thousand years in milliseconds). Sums of such numbers do not
/// overflow.
const MAX_NUMBER: u64 = 1 << 45;

/// Converts a time to its column: milliseconds since 1970.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// Converts an optional time to its column.
pub(crate) fn millis_if(time: Option<Timestamp>) -> Option<i64> {
    time.map(millis)
}

/// Converts a number to its column, at most [`MAX_NUMBER`].
pub(crate) fn whole(number: u64) -> i64 {
    number.min(MAX_NUMBER).cast_signed()
}

/// A row whose columns are read by name.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'r>(pub(crate) &'r Row);

impl<'r> Cells<'r> {
    /// Reads a value with the database's type.
    pub(crate) fn get<T: Read<'r>>(self, column: &'static str) -> Result<T, Fault> {
        Ok(self.0.try_get(column)?)
    }

    pub(crate) fn time(self, column: &'static str) -> Result<Timestamp, Fault> {
        Timestamp::from_millisecond(self.get(column)?).map_err(|_| Fault::Unreadable(column))
    }

    pub(crate) fn time_if(self, column: &'static str) -> Result<Option<Timestamp>, Fault> {
        let known: Option<i64> = self.get(column)?;
        known.map(Timestamp::from_millisecond).transpose().map_err(|_| Fault::Unreadable(column))
    }

    /// Reads a word of a closed list.
    pub(crate) fn word<T: FromStr>(self, column: &'static str) -> Result<T, Fault> {
        self.get::<&str>(column)?.parse().map_err(|_| Fault::Unreadable(column))
    }

    /// Reads a number, and checks its range.
    pub(crate) fn number<T: TryFrom<i64>>(self, column: &'static str) -> Result<T, Fault> {
        T::try_from(self.get(column)?).map_err(|_| Fault::Unreadable(column))
    }
}

/// Reads the bytes of a digest.
pub(crate) fn octets(row: &Row, column: usize) -> Result<Option<[u8; 16]>, Fault> {
    let stored: Option<&[u8]> = row.try_get(column)?;
    stored.map(<[u8; 16]>::try_from).transpose().map_err(|_| Fault::Unreadable("digest"))
}

pub(crate) fn uid(number: i64) -> Result<Uid, Fault> {
    u32::try_from(number).ok().and_then(Uid::new).ok_or(Fault::Unreadable("UID"))
}
