//! Long lists, page by page.

use std::{fmt, num::ParseIntError, str::FromStr};

/// How far a reader has come in a list. Its text is good for the same list only.
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

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Bookmark>,
}

/// How many rows are asked for: one more than wanted, which tells whether there is a next page.
pub(crate) fn rows(limit: u32) -> i64 {
    i64::from(limit) + 1
}

impl<T> Page<T> {
    /// A page of at most so many, of rows each with its place.
    pub(crate) fn of(mut rows: Vec<(i64, T)>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        let last = rows.last().map(|(place, _)| Bookmark(*place));
        let next = if is_last { None } else { last };
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}
