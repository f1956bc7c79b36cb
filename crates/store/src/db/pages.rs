//! Long lists, page by page.

use std::{fmt, num::ParseIntError, str::FromStr};

/// A position in a list. Its text is valid for the same list only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bookmark(pub(crate) i64);

impl fmt::Display for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Bookmark {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Start of the next page; `None` on the last one.
    pub next: Option<Bookmark>,
}

/// Number of rows to read: one more than wanted, which shows if there is a next page.
pub(crate) fn rows(limit: u32) -> i64 {
    i64::from(limit) + 1
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` items, from rows with their positions.
    pub(crate) fn from_rows(mut rows: Vec<(i64, T)>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        let last = rows.last().map(|(place, _)| Bookmark(*place));
        let next = if is_last { None } else { last };
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}
