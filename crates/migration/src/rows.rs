//! Rows and cells of a CSV text (RFC 4180).
//!
//! A lenient reader would take an unclosed quote as the start of one cell that holds the rest of
//! the file, passwords included. So mailhaul has a strict reader of its own.

use crate::csv_error::{CellPosition, CsvError};

pub(crate) struct Row {
    /// Counted from 1, empty lines included, as in a spreadsheet.
    pub(crate) number: usize,
    pub(crate) cells: Vec<String>,
}

/// Rows of a text, without its empty lines. Lines end with CRLF, LF or CR.
pub(crate) struct Rows<'a> {
    rest: &'a str,
    number: usize,
}

#[derive(PartialEq, Eq)]
enum End {
    Cell,
    Row,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text, number: 0 }
    }

    fn row(&mut self) -> Result<Row, CsvError> {
        let mut cells = Vec::new();
        loop {
            let place = CellPosition::at(self.number, cells.len() + 1);
            let (cell, end) = if self.rest.starts_with('"') { self.quoted(place)? } else { self.plain() };
            cells.push(cell);
            if end == End::Row {
                return Ok(Row { number: self.number, cells });
            }
        }
    }

    /// Quotes inside an unquoted cell are kept: passwords contain them, and they have no other
    /// meaning.
    fn plain(&mut self) -> (String, End) {
        let length = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
        let cell = self.rest[..length].to_owned();
        self.rest = &self.rest[length..];
        (cell, self.end().unwrap_or(End::Row))
    }

    fn quoted(&mut self, place: CellPosition) -> Result<(String, End), CsvError> {
        let mut cell = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some(length) = self.rest.find('"') else { return Err(CsvError::UnclosedQuote { place }) };
            cell.push_str(&self.rest[..length]);
            self.rest = &self.rest[length + 1..];
            match self.rest.strip_prefix('"') {
                Some(rest) => self.rest = rest,
                None => break,
            }
            cell.push('"');
        }
        match self.end() {
            Some(end) => Ok((cell, end)),
            None => Err(CsvError::TextAfterQuote { place }),
        }
    }

    /// Consumes the comma or the line end.
    fn end(&mut self) -> Option<End> {
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return Some(End::Cell);
        }
        if self.rest.is_empty() || self.line_end() { Some(End::Row) } else { None }
    }

    fn line_end(&mut self) -> bool {
        let rest = ["\r\n", "\n", "\r"].into_iter().find_map(|end| self.rest.strip_prefix(end));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        while self.line_end() {
            self.number += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let row = self.row();
        if row.is_err() {
            self.rest = "";
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
        Rows::new(text).map(Result::unwrap).map(|row| (row.number, row.cells)).collect()
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_shows_them() {
        let cells = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            rows("a,b\r\n\r\n\"1\n2\",\"x\"\"y\"\nlast,\r\n\r\n"),
            [(1, cells(&["a", "b"])), (3, cells(&["1\n2", "x\"y"])), (4, cells(&["last", ""]))]
        );
        assert_eq!(rows("\r\n\n\r"), []);
        assert_eq!(rows("a\"b,'c'"), [(1, cells(&["a\"b", "'c'"]))]);
    }

    #[test]
    fn bad_quotes_are_told_with_their_place_and_end_the_reading() {
        let errors = |text| Rows::new(text).filter_map(Result::err).collect::<Vec<_>>();
        assert_eq!(errors("a,b\n1,\"2\n3,4\n"), [CsvError::UnclosedQuote { place: CellPosition::at(2, 2) }]);
        assert_eq!(errors("a\n\"b\"c\nd"), [CsvError::TextAfterQuote { place: CellPosition::at(2, 1) }]);
    }

    proptest! {
        #[test]
        fn reads_what_the_csv_crate_writes(
            table in prop::collection::vec(prop::collection::vec("[a,\"\r\n \u{e9}]{0,5}", 2..4), 0..5),
            crlf in any::<bool>(),
        ) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().flexible(true).terminator(terminator).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<_> = rows(&text).into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(read, table);
        }

        #[test]
        fn reads_any_text_as_the_csv_crate_does_or_refuses_it(text in "[ab,\"\r\n]{0,20}") {
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            if let Ok(ours) = Rows::new(&text).collect::<Result<Vec<_>, _>>() {
                prop_assert_eq!(ours.into_iter().map(|row| row.cells).collect::<Vec<_>>(), theirs);
            }
        }
    }
}
