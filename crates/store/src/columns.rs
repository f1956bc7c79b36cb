//! From values to columns and back. Nothing in the file is trusted to be what we wrote.

use std::str::FromStr;

use jiff::Timestamp;
use mailhaul_mail::Uid;
use sqlx::{Decode, Row, Sqlite, Type, sqlite::SqliteRow};

use crate::error::Fault;

/// A number larger than this is somebody's lie (32 TiB of mail, a thousand years), and sums of them must not overflow.
const MOST: u64 = 1 << 45;

/// A moment as it is kept: milliseconds since 1970.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The same for a moment that may be missing.
pub(crate) fn millis_if(time: Option<Timestamp>) -> Option<i64> {
    time.map(millis)
}

/// A number as it is kept.
pub(crate) fn whole(number: u64) -> i64 {
    number.min(MOST).cast_signed()
}

/// `(?, ?), (?, ?)`: so many rows of so many values.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// A row, read by the names of its columns.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'r>(pub(crate) &'r SqliteRow);

impl<'r> Cells<'r> {
    /// As `SQLite` has it.
    pub(crate) fn get<T>(self, column: &'static str) -> Result<T, Fault>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        Ok(self.0.try_get(column)?)
    }

    /// A moment.
    pub(crate) fn time(self, column: &'static str) -> Result<Timestamp, Fault> {
        Timestamp::from_millisecond(self.get(column)?).map_err(|_| Fault::Unreadable(column))
    }

    /// A moment that may be missing.
    pub(crate) fn time_if(self, column: &'static str) -> Result<Option<Timestamp>, Fault> {
        let known: Option<i64> = self.get(column)?;
        known.map(Timestamp::from_millisecond).transpose().map_err(|_| Fault::Unreadable(column))
    }

    /// A word of a closed list.
    pub(crate) fn word<T: FromStr>(self, column: &'static str) -> Result<T, Fault> {
        self.get::<&str>(column)?.parse().map_err(|_| Fault::Unreadable(column))
    }

    /// A number in its range.
    pub(crate) fn number<T: TryFrom<i64>>(self, column: &'static str) -> Result<T, Fault> {
        T::try_from(self.get(column)?).map_err(|_| Fault::Unreadable(column))
    }
}

/// The bytes of a digest.
pub(crate) fn octets(row: &SqliteRow, column: usize) -> Result<Option<[u8; 16]>, Fault> {
    let stored: Option<&[u8]> = row.try_get(column)?;
    stored.map(<[u8; 16]>::try_from).transpose().map_err(|_| Fault::Unreadable("digest"))
}

/// A UID.
pub(crate) fn uid(number: i64) -> Result<Uid, Fault> {
    u32::try_from(number).ok().and_then(Uid::new).ok_or(Fault::Unreadable("UID"))
}
