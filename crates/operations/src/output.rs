//! How results are shown.

use std::fmt;

/// The forms that results can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A table with a column for each of an operation's chosen properties.
    Table,
    /// Every property in a line.
    List,
    /// A JSON array.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

const FORMS: [(Output, &str); 4] =
    [(Output::Table, "table"), (Output::List, "list"), (Output::Json, "json"), (Output::Csv, "csv")];

impl Output {
    /// The form of this name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        FORMS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(output, _)| *output)
    }

    /// All names.
    pub fn names() -> [&'static str; 4] {
        FORMS.map(|(_, name)| name)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORMS[*self as usize].1)
    }
}
