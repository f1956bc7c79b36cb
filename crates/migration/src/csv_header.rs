//! Header of a CSV file, and the lines that programs write before it.
//!
//! A header is certain if a cell is the name of a column, or two are nearly, and none contains an @.
//! Only then do messages show its cells: a first row without names may be a user with a password.

use crate::{
    column_names::{NameMatch, match_name},
    csv_error::{CsvError, CsvPlace, CsvRule, HeaderHint, Separator},
    rows::{Row, Rows, after_line, strip_line_end},
};

/// Separators that are tried, the usual one first.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Separators that are no CSV, for advice.
const OTHER_SEPARATORS: [char; 3] = ['|', ':', '^'];

/// Columns of a header. Bounds the time that their names take.
const MAX_COLUMNS: usize = 1000;

/// Rows after the first one in which a header is looked for, for advice.
const SEARCHED_ROWS: usize = 10;

/// Header of a file, with the rows below it.
pub(crate) struct Header<'a> {
    pub(crate) row: Row,
    /// Relation of each cell to the known columns.
    pub(crate) names: Vec<NameMatch>,
    /// True if its cells are names, and can be shown.
    pub(crate) is_certain: bool,
    has_address: bool,
    pub(crate) rows: Rows<'a>,
    /// Unusual separators.
    pub(crate) warnings: Vec<String>,
}

/// Finds the header, and the separator that it proves.
///
/// # Errors
/// The text is empty, its first row names no column, or it has too many.
pub(crate) fn find_header<'a>(
    text: &'a str,
    columns: &'static [&'static str],
) -> Result<Header<'a>, CsvError> {
    let preamble = Preamble::skip(text);
    let mut best: Option<(usize, Result<Header<'a>, CsvError>)> = None;
    for separator in preamble.separator.into_iter().chain(SEPARATORS) {
        let Some(header) = first_row(&preamble, Separator(separator), columns) else {
            return Err(CsvError::file(CsvRule::Empty));
        };
        let score = header.as_ref().map_or(0, Header::score);
        if best.as_ref().is_none_or(|(other, _)| score > *other) {
            best = Some((score, header));
        }
    }
    let (score, header) = best.ok_or_else(|| CsvError::file(CsvRule::Empty))?;
    let mut header = header?;
    let count = header.row.cells.len();
    if count > MAX_COLUMNS {
        return Err(CsvError::at(CsvPlace::row(header.row.number), CsvRule::TooManyColumns { count }));
    }
    // One name with a mistake may be a password: its cell is not shown.
    let is_near = header.names.iter().any(|name| matches!(name, NameMatch::NearMiss(_)));
    if score == 0 && (header.has_address || !is_near) {
        return Err(no_header(&preamble, &header.row, columns));
    }
    let separator = header.rows.separator;
    if separator.0 != preamble.separator.unwrap_or(',') {
        let usual = Separator(preamble.separator.unwrap_or(',')).many();
        header.warnings.push(format!(
            "The cells are separated by {}, not by {usual}; the file is read so",
            separator.many()
        ));
    }
    Ok(header)
}

fn first_row<'a>(
    preamble: &Preamble<'a>,
    separator: Separator,
    columns: &'static [&'static str],
) -> Option<Result<Header<'a>, CsvError>> {
    let mut rows = Rows::new(preamble.rest, separator, preamble.lines);
    let row = match rows.next()? {
        Ok(row) => row,
        Err(error) => return Some(Err(error)),
    };
    let read = row.cells.iter().take(MAX_COLUMNS);
    let names: Vec<NameMatch> = read.map(|cell| match_name(cell, columns)).collect();
    let has_address = row.cells.iter().any(|cell| cell.contains('@'));
    let near = names.iter().filter(|name| matches!(name, NameMatch::NearMiss(_))).count();
    let is_certain = !has_address && (near > 1 || names.iter().any(|name| name.is_proof()));
    Some(Ok(Header { row, names, is_certain, has_address, rows, warnings: Vec::new() }))
}

impl NameMatch {
    /// True if this name shows that the row is a header.
    fn is_proof(self) -> bool {
        matches!(self, Self::Column(_) | Self::Synonym(_))
    }
}

impl Header<'_> {
    fn score(&self) -> usize {
        let named = self.names.iter().filter(|name| **name != NameMatch::Unknown);
        if self.is_certain { named.count() } else { 0 }
    }
}

/// Lines before the header.
struct Preamble<'a> {
    rest: &'a str,
    /// Lines that count: a `sep=` line does not, because a spreadsheet does not show it.
    lines: usize,
    /// Separator of a `sep=` line.
    separator: Option<char>,
}

impl<'a> Preamble<'a> {
    /// Skips empty lines, Excel's `sep=;` and the `#TYPE` line of Windows PowerShell.
    fn skip(text: &'a str) -> Self {
        let mut preamble = Self { rest: text, lines: 0, separator: None };
        loop {
            if let Some(rest) = strip_line_end(preamble.rest) {
                preamble.rest = rest;
                preamble.lines += 1;
                continue;
            }
            let line = preamble.rest.split(['\r', '\n']).next().unwrap_or_default();
            if preamble.separator.is_none() && separator_of(line).is_some() {
                preamble.separator = separator_of(line);
            } else if line.get(..6).is_some_and(|it| it.eq_ignore_ascii_case("#TYPE ")) {
                preamble.lines += 1;
            } else {
                return preamble;
            }
            preamble.rest = after_line(preamble.rest);
        }
    }
}

/// Separator that a line names: `sep=;`.
fn separator_of(line: &str) -> Option<char> {
    let value = line.trim_matches('"');
    let mut value =
        value.get(..4).filter(|it| it.eq_ignore_ascii_case("sep=")).map(|_| value[4..].chars())?;
    let separator = value.next().filter(|it| !it.is_alphanumeric() && *it != '"')?;
    // A spreadsheet fills the line with separators.
    value.all(|it| it == separator || SEPARATORS.contains(&it)).then_some(separator)
}

fn no_header(preamble: &Preamble<'_>, first: &Row, columns: &'static [&'static str]) -> CsvError {
    let row = first.number;
    let later = || {
        SEPARATORS.into_iter().find_map(|separator| {
            let rows = Rows::new(preamble.rest, Separator(separator), preamble.lines);
            let rows = rows.skip(1).take(SEARCHED_ROWS).filter_map(Result::ok);
            let mut headers = rows.filter(|row| {
                let names = row.cells.iter().take(MAX_COLUMNS).map(|cell| match_name(cell, columns));
                names.filter(|name| matches!(name, NameMatch::Column(_))).count() * 2 >= row.cells.len()
            });
            headers.next().map(|row| row.number)
        })
    };
    let line = preamble.rest.split(['\r', '\n']).next().unwrap_or_default();
    let separated = || {
        OTHER_SEPARATORS.into_iter().find(|separator| {
            line.split(*separator).any(|cell| matches!(match_name(cell, columns), NameMatch::Column(_)))
        })
    };
    let hint = if let Some(row) = later() {
        HeaderHint::Later(row)
    } else if line.contains('@') {
        HeaderHint::FirstRowIsUser
    } else {
        separated().map_or(HeaderHint::Unknown, HeaderHint::Separated)
    };
    CsvError::file(CsvRule::NoHeader { row, columns, hint })
}
