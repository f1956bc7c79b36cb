//! CSV files for people and their spreadsheets, part by part.

use std::fmt::Display;

use jiff::Timestamp;
use mailhaul_operations::Failure;
use mailhaul_store::Bookmark;

use crate::csv_cell::harmless;

/// Octets after which a part ends.
const PART: usize = 4 << 20;

/// By which spreadsheets know UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A part of a file that grows.
pub(super) struct Part {
    rows: csv::Writer<Vec<u8>>,
    /// Octets so far, as far as cells go.
    length: usize,
}

impl Part {
    /// The first part, with the names of the columns.
    pub(super) fn first(columns: &[&str], with_byte_order_mark: bool) -> Result<Self, Failure> {
        let start = if with_byte_order_mark { BYTE_ORDER_MARK } else { "" };
        let mut part = Self::beginning_with(start);
        part.push(columns)?;
        Ok(part)
    }

    /// One of those that follow.
    pub(super) fn further() -> Self {
        Self::beginning_with("")
    }

    fn beginning_with(start: &str) -> Self {
        let writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(start.as_bytes().to_vec());
        Self { rows: writer, length: 0 }
    }

    /// One more row. Cells that a spreadsheet would run are made harmless.
    pub(super) fn push<C: AsRef<str>>(&mut self, cells: &[C]) -> Result<(), Failure> {
        self.length += cells.iter().map(|it| it.as_ref().len() + 1).sum::<usize>();
        self.rows.write_record(cells.iter().map(|it| harmless(it.as_ref()))).map_err(|error| broken(&error))
    }

    /// Whether another part should follow.
    pub(super) fn is_full(&self) -> bool {
        self.length >= PART
    }

    pub(super) fn into_text(self) -> Result<String, Failure> {
        let octets = self.rows.into_inner().map_err(|error| broken(&error))?;
        String::from_utf8(octets).map_err(|error| broken(&error))
    }
}

/// A time as all reports write it: ISO 8601, UTC.
pub(super) fn date(at: Option<Timestamp>) -> String {
    at.map(|it| it.to_string()).unwrap_or_default()
}

/// Where a part begins, as it was told at the end of the part before.
pub(super) fn bookmark(text: &str) -> Result<Bookmark, Failure> {
    text.parse().map_err(|_| not_ours())
}

/// A continuation that nobody was given.
pub(super) fn not_ours() -> Failure {
    Failure::invalid("Continuation is not one of ours")
}

fn broken(error: &dyn Display) -> Failure {
    Failure::internal(format_args!("a report cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_its_columns_and_holds_no_formula() {
        let mut part = Part::first(&["A", "B"], true).unwrap();
        part.push(&["=1+1", "a,\"b\""]).unwrap();
        assert_eq!(part.into_text().unwrap(), "\u{feff}A,B\r\n'=1+1,\"a,\"\"b\"\"\"\r\n");
        let mut part = Part::further();
        part.push(&["x".repeat(PART)]).unwrap();
        assert!(part.is_full());
    }
}
