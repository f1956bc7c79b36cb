//! CSV reports, written in parts.

use std::fmt::Display;

use jiff::Timestamp;
use mailhaul_operations::Failure;
use mailhaul_store::Bookmark;

use crate::output::csv_cell::harmless;

/// Bytes after which a part ends.
const PART: usize = 4 << 20;

/// Byte order mark, by which spreadsheets recognise UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Part of a CSV file.
pub(crate) struct Part {
    rows: csv::Writer<Vec<u8>>,
    /// Bytes of the cells so far.
    length: usize,
}

impl Part {
    /// First part, which begins with the column names.
    pub(crate) fn first(columns: &[&str], with_byte_order_mark: bool) -> Result<Self, Failure> {
        let start = if with_byte_order_mark { BYTE_ORDER_MARK } else { "" };
        let mut part = Self::beginning_with(start);
        part.push(columns)?;
        Ok(part)
    }

    pub(crate) fn further() -> Self {
        Self::beginning_with("")
    }

    fn beginning_with(start: &str) -> Self {
        let writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(start.as_bytes().to_vec());
        Self { rows: writer, length: 0 }
    }

    /// Appends a row. Cells that a spreadsheet would run as a formula are escaped.
    pub(crate) fn push<C: AsRef<str>>(&mut self, cells: &[C]) -> Result<(), Failure> {
        self.length += cells.iter().map(|it| it.as_ref().len() + 1).sum::<usize>();
        self.rows.write_record(cells.iter().map(|it| harmless(it.as_ref()))).map_err(|error| broken(&error))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.length >= PART
    }

    pub(crate) fn into_text(self) -> Result<String, Failure> {
        let octets = self.rows.into_inner().map_err(|error| broken(&error))?;
        String::from_utf8(octets).map_err(|error| broken(&error))
    }
}

/// Time in ISO 8601, UTC.
pub(crate) fn date(at: Option<Timestamp>) -> String {
    at.map(|it| it.to_string()).unwrap_or_default()
}

/// Parses a position that the part before returned.
pub(crate) fn bookmark(text: &str) -> Result<Bookmark, Failure> {
    text.parse().map_err(|_| not_ours())
}

/// Failure for a continuation that the service did not return.
pub(crate) fn not_ours() -> Failure {
    Failure::invalid("Continuation is not a value that this service returned")
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
