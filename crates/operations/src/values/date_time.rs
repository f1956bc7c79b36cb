//! Dates with an optional time and zone.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil, tz::TimeZone};
use mailhaul_shell::{WrittenDate, written_date};

use super::{format, text_form};
use crate::failure::Failure;

/// Date as an administrator writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateTime {
    /// With a zone: 2026-12-31T08:00:00Z, 2026-12-31T08:00:00+01:00.
    Instant(Timestamp),
    /// Without a zone: 2026-12-31, 2026-12-31T08:00.
    Local(civil::DateTime),
}

impl DateTime {
    /// Returns the time; `zone` applies to dates without one.
    pub fn at(self, zone: &TimeZone) -> Result<Timestamp, Failure> {
        match self {
            Self::Instant(timestamp) => Ok(timestamp),
            Self::Local(local) => zone
                .to_ambiguous_timestamp(local)
                .compatible()
                .map_err(|error| Failure::invalid(format_args!("{local} cannot be used: {error}"))),
        }
    }
}

impl DateTime {
    /// Reads a date as PowerShell does with American settings: `12/31/2026 6:00 PM`.
    ///
    /// For cmdlets alone: the HTTP interface takes the forms of [`DateTime::from_str`].
    pub(crate) fn from_american(text: &str) -> Option<Self> {
        Some(match written_date(text)? {
            WrittenDate::Instant(timestamp) => Self::Instant(timestamp),
            WrittenDate::Local(local) => Self::Local(local),
        })
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(timestamp) => timestamp.fmt(f),
            Self::Local(local) => local.fmt(f),
        }
    }
}

impl FromStr for DateTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(timestamp) = text.parse() {
            return Ok(Self::Instant(timestamp));
        }
        // jiff would ignore the name of a zone, and an offset without a time.
        let plain = !text.contains(['[', '+']);
        match text.parse() {
            Ok(local) if plain => Ok(Self::Local(local)),
            _ => Err("must be a date such as 2026-12-31, 2026-12-31T08:00 or 2026-12-31T08:00:00Z"),
        }
    }
}

text_form!(DateTime, format::DATE_TIME);
