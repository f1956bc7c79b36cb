//! Rows and cells of a CSV text (RFC 4180).
//!
//! A lenient reader would take an unclosed quote as the start of one cell that holds the rest of
//! the file, passwords included. So mailhaul has a strict reader of its own.

use crate::{
    address::is_blank,
    csv_error::{CsvError, CsvPlace, CsvRule, Separator},
};

pub(crate) struct Row {
    /// Counted from 1, empty lines included, as in a spreadsheet.
    pub(crate) number: usize,
    pub(crate) cells: Vec<String>,
}

impl Row {
    /// True if no cell has a value.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.chars().all(is_blank))
    }
}

/// Rows of a text, without its empty lines. Lines end with CRLF, LF or CR.
///
/// After an error, reading goes on with the next line.
pub(crate) struct Rows<'a> {
    rest: &'a str,
    number: usize,
    pub(crate) separator: Separator,
}

#[derive(PartialEq, Eq)]
enum End {
    Cell,
    Row,
}

impl<'a> Rows<'a> {
    /// Rows of the text, whose first line has the number after this one.
    pub(crate) fn new(text: &'a str, separator: Separator, number: usize) -> Self {
        Self { rest: text, number, separator }
    }

    fn row(&mut self) -> Result<Row, CsvError> {
        let mut cells = Vec::new();
        loop {
            let place = CsvPlace::cell(self.number, cells.len() + 1);
            let start = self.rest;
            let read = if start.starts_with('"') { self.quoted() } else { self.plain() };
            match read {
                Ok((cell, end)) => {
                    cells.push(cell);
                    if end == End::Row {
                        return Ok(Row { number: self.number, cells });
                    }
                }
                Err(rule) => {
                    self.rest = after_line(start);
                    return Err(CsvError::at(place, rule));
                }
            }
        }
    }

    /// Quotes inside an unquoted cell are kept: passwords contain them, and they have no other
    /// meaning. Only behind a blank at its start, a quote is meant to enclose the value.
    fn plain(&mut self) -> Result<(String, End), CsvRule> {
        let length = self.rest.find([self.separator.0, '\r', '\n']).unwrap_or(self.rest.len());
        let cell = &self.rest[..length];
        if cell.starts_with(is_blank) && cell.trim_start_matches(is_blank).starts_with('"') {
            return Err(CsvRule::BlankBeforeQuote);
        }
        self.rest = &self.rest[length..];
        Ok((cell.to_owned(), self.end().unwrap_or(End::Row)))
    }

    fn quoted(&mut self) -> Result<(String, End), CsvRule> {
        let mut cell = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some(length) = self.rest.find('"') else { return Err(CsvRule::UnclosedQuote) };
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
            // The next quote is the opening one of a later row.
            None if cell.contains(['\r', '\n']) => Err(CsvRule::UnclosedQuote),
            None => Err(CsvRule::TextAfterQuote),
        }
    }

    /// Consumes the separator or the line end.
    fn end(&mut self) -> Option<End> {
        if let Some(rest) = self.rest.strip_prefix(self.separator.0) {
            self.rest = rest;
            return Some(End::Cell);
        }
        if self.rest.is_empty() || self.line_end() { Some(End::Row) } else { None }
    }

    fn line_end(&mut self) -> bool {
        let rest = strip_line_end(self.rest);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Consumes a line without a value and without a separator.
    fn empty_line(&mut self) -> bool {
        let separator = self.separator.0;
        let line = self
            .rest
            .trim_start_matches(|it: char| is_blank(it) && it != separator && it != '\r' && it != '\n');
        match strip_line_end(line) {
            Some(rest) => self.rest = rest,
            None if line.is_empty() && !self.rest.is_empty() => self.rest = line,
            None => return false,
        }
        true
    }
}

/// Returns the text behind the line end at its start.
pub(crate) fn strip_line_end(text: &str) -> Option<&str> {
    ["\r\n", "\n", "\r"].into_iter().find_map(|end| text.strip_prefix(end))
}

/// Returns the text behind the first line.
pub(crate) fn after_line(text: &str) -> &str {
    let rest = text.find(['\r', '\n']).map_or("", |length| &text[length..]);
    strip_line_end(rest).unwrap_or(rest)
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        while self.empty_line() {
            self.number += 1;
        }
        if self.rest.is_empty() { None } else { Some(self.row()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
        Rows::new(text, Separator(','), 0).map(Result::unwrap).map(|row| (row.number, row.cells)).collect()
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
    fn bad_quotes_are_told_and_reading_goes_on_with_the_next_line() {
        let read = |text| {
            let mut errors = Vec::new();
            let rows =
                Rows::new(text, Separator(','), 0).filter_map(|row| row.map_err(|it| errors.push(it)).ok());
            let numbers: Vec<usize> = rows.map(|row| row.number).collect();
            (errors, numbers)
        };
        let at = |row, column, rule| CsvError::at(CsvPlace::cell(row, column), rule);
        for (text, errors, numbers) in [
            ("a,b\n1,\"2\n3,4\n", vec![at(2, 2, CsvRule::UnclosedQuote)], vec![1, 3]),
            ("a\n\"b\"c\nd", vec![at(2, 1, CsvRule::TextAfterQuote)], vec![1, 3]),
            ("a,b\n1,\"2\n\"3\",4\n", vec![at(2, 2, CsvRule::UnclosedQuote)], vec![1, 3]),
            ("a,b\n1, \"2\"\n3,4", vec![at(2, 2, CsvRule::BlankBeforeQuote)], vec![1, 3]),
            (
                "\"a\"b\r\"c\"d\re\r\"f",
                vec![
                    at(1, 1, CsvRule::TextAfterQuote),
                    at(2, 1, CsvRule::TextAfterQuote),
                    at(4, 1, CsvRule::UnclosedQuote),
                ],
                vec![3],
            ),
        ] {
            assert_eq!(read(text), (errors, numbers), "{text}");
        }
    }

    #[test]
    fn lines_of_blanks_are_empty_and_other_separators_separate() {
        assert_eq!(rows("a\n  \u{a0}\n\t\nb\n  ").iter().map(|row| row.0).collect::<Vec<_>>(), [1, 4]);
        let read =
            |text| Rows::new(text, Separator('\t'), 0).map(|row| row.unwrap().cells).collect::<Vec<_>>();
        assert_eq!(read("a,b\tc\n\t\n"), [vec!["a,b", "c"], vec!["", ""]]);
        assert!(Rows::new(",,", Separator(','), 0).all(|row| row.unwrap().is_blank()));
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
            if let Ok(ours) = Rows::new(&text, Separator(','), 0).collect::<Result<Vec<_>, _>>() {
                prop_assert_eq!(ours.into_iter().map(|row| row.cells).collect::<Vec<_>>(), theirs);
            }
        }
    }
}
