//! Errors of the CSV file, each with its row and column.

use std::fmt;

use crate::user_row::COLUMNS;

/// Position of an error in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellPosition {
    /// The header is row 1.
    pub row: usize,
    /// Counted from 1.
    pub column: usize,
    /// Name of the column, if the header is valid.
    pub name: Option<&'static str>,
}

impl CellPosition {
    pub(crate) fn at(row: usize, column: usize) -> Self {
        Self { row, column, name: None }
    }
}

impl fmt::Display for CellPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row {}, column {}", self.row, self.column)?;
        self.name.map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// Reason why the file cannot be used.
///
/// Invariant: no cell below the header is shown, because it may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// Empty file.
    #[error("The CSV file is empty")]
    Empty,
    #[error("The CSV file has a header but no users")]
    NoRows,
    /// More bytes than [`MAX_OCTETS`].
    #[error("The CSV file is larger than 10 MB ({octets} bytes); split it into smaller files")]
    TooLarge { octets: usize },
    /// More rows than [`MAX_ROWS`].
    #[error("The CSV file contains more than 50,000 rows; split it into smaller files")]
    TooManyRows,
    /// Bytes that are not text.
    #[error("Line {line} of the CSV file is not valid {encoding} text; save the file as \"CSV UTF-8\"")]
    NotText {
        /// Counted from 1.
        line: usize,
        /// Encoding that the file seems to have.
        encoding: &'static str,
    },
    /// Unknown column.
    #[error("{place}: the column name{} is unknown{}; the columns are {}", quoted(.name.as_deref()), hint(*.nearest), COLUMNS.join(", "))]
    UnknownColumn {
        place: CellPosition,
        /// Its name; `None` if the first row may be data with a password.
        name: Option<String>,
        /// Most similar known column.
        nearest: Option<&'static str>,
    },
    /// The first row is no header.
    #[error("Row 1 of the CSV file must name the columns, but none of {} is there{}", COLUMNS.join(", "), .hint)]
    NoHeader {
        /// Possible reason.
        hint: &'static str,
    },
    #[error("Column \"{name}\" is missing from the CSV file; it is required{}", hint_at_column(.nearest.as_deref()))]
    MissingColumn {
        name: &'static str,
        /// Most similar unknown column of the file.
        nearest: Option<String>,
    },
    /// Repeated column.
    #[error("{place}: the column name is repeated; it is first in column {first}")]
    RepeatedColumn {
        /// Position of the second one.
        place: CellPosition,
        /// Number of the first one, from 1.
        first: usize,
    },
    /// Row whose number of cells differs from the header's.
    #[error(
        "Row {row} has the wrong number of columns. Expected: {expected}. Found: {found}. A value that contains a comma \
         must be in double quotes"
    )]
    CellCount {
        row: usize,
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// Required cell without a value.
    #[error("{place} is empty; a value is required")]
    EmptyCell { place: CellPosition },
    /// Quote that is not closed before the file ends.
    #[error("{place}: the double quote at the start of the value is never closed")]
    UnclosedQuote {
        /// Position of the opening quote.
        place: CellPosition,
    },
    /// Closing quote without a comma or line end after it.
    #[error("{place}: text follows the closing double quote; write a quote inside a quoted value as two")]
    TextAfterQuote { place: CellPosition },
}

fn quoted(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" \"{name}\""))
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (did you mean \"{nearest}\"?)"))
}

fn hint_at_column(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (is the column \"{nearest}\" meant?)"))
}
