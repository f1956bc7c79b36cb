//! Values of a CSV file that are used, but are probably not what was meant.
//!
//! Each kind is told once for each column, with the number of values and the first row.

use std::collections::BTreeMap;

use crate::{
    address::is_blank,
    user_row::{COLUMNS, EMAIL_ADDRESS, PASSWORDS},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CellNote {
    /// Blanks at the ends were removed.
    Trimmed,
    /// Blanks at the ends belong to the value.
    BlankEnds,
    /// A spreadsheet rewrote a long number.
    Number,
    /// Typographic quotation marks enclose the value.
    Quoted,
    /// The address has letters outside ASCII.
    Letters,
    /// An apostrophe precedes the value.
    Apostrophe,
}

#[derive(Default)]
struct Tally {
    count: usize,
    first_row: usize,
}

/// Notes on the values of a file.
#[derive(Default)]
pub(crate) struct CellNotes {
    tallies: BTreeMap<(usize, CellNote), Tally>,
}

impl CellNotes {
    /// Notes that blanks at the ends of a value were removed.
    pub(crate) fn trimmed(&mut self, column: usize, row: usize) {
        self.add(column, CellNote::Trimmed, row);
    }

    /// Notes what is odd about a value.
    pub(crate) fn value(&mut self, column: usize, row: usize, value: &str) {
        if value.starts_with(is_blank) || value.ends_with(is_blank) {
            self.add(column, CellNote::BlankEnds, row);
        }
        if is_rewritten_number(value) {
            self.add(column, CellNote::Number, row);
        }
        if column == EMAIL_ADDRESS && !value.is_ascii() {
            self.add(column, CellNote::Letters, row);
        }
        if PASSWORDS.contains(&column) {
            if value.starts_with(['\u{201c}', '\u{201e}']) && value.ends_with(['\u{201c}', '\u{201d}']) {
                self.add(column, CellNote::Quoted, row);
            }
            if value.starts_with('\'') {
                self.add(column, CellNote::Apostrophe, row);
            }
        }
    }

    fn add(&mut self, column: usize, note: CellNote, row: usize) {
        let tally = self.tallies.entry((column, note)).or_default();
        if tally.count == 0 {
            tally.first_row = row;
        }
        tally.count += 1;
    }

    /// Returns the notes as sentences. `users` is the number of rows with a user.
    pub(crate) fn warnings(&self, users: usize) -> Vec<String> {
        let told = self.tallies.iter().filter(|((_, note), tally)| match note {
            // A password may begin with an apostrophe, but not all do by chance.
            CellNote::Apostrophe => tally.count == users,
            _ => true,
        });
        told.map(|((column, note), tally)| sentence(COLUMNS[*column], *note, tally)).collect()
    }
}

fn sentence(column: &str, note: CellNote, tally: &Tally) -> String {
    let (one, many, then) = match note {
        CellNote::Trimmed => (
            "begins or ends with a blank or an invisible character",
            "begin or end with a blank or an invisible character",
            "it is removed",
        ),
        CellNote::BlankEnds => (
            "begins or ends with a blank or an invisible character",
            "begin or end with a blank or an invisible character",
            "it is kept, so remove it if it does not belong to the value",
        ),
        CellNote::Number => (
            "is a number as a spreadsheet shortens it, such as 1.2E+12",
            "are numbers as a spreadsheet shortens them, such as 1.2E+12",
            "format the column as text, and enter the values again",
        ),
        CellNote::Quoted => (
            "is in typographic quotation marks",
            "are in typographic quotation marks",
            "they are kept, so remove them if they do not belong to the value",
        ),
        CellNote::Letters => {
            ("has letters outside ASCII", "have letters outside ASCII", "most servers have no such addresses")
        }
        CellNote::Apostrophe => (
            "begins with an apostrophe",
            "begin with an apostrophe",
            "it is kept, so remove it if a spreadsheet needed it to show the value as text",
        ),
    };
    let (count, row) = (tally.count, tally.first_row);
    match count {
        1 => format!("Row {row}: the {column} {one}; {then}"),
        _ => format!("{count} values of {column} {many}; {then} (first in row {row})"),
    }
}

/// True for `1.23457E+12`.
fn is_rewritten_number(value: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let Some((number, exponent)) = value.split_once("E+") else { return false };
    let number =
        number.split_once(['.', ',']).map_or(digits(number), |(whole, part)| digits(whole) && digits(part));
    number && digits(exponent) && exponent.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_spreadsheets_are_recognised() {
        for (value, expected) in [
            ("1.23457E+12", true),
            ("1,5E+9", true),
            ("4E+15", true),
            ("1.5E-9", false),
            ("E+12", false),
            ("1.E+12", false),
            ("secretE+12", false),
            ("1E+1234", false),
            ("1091990", false),
        ] {
            assert_eq!(is_rewritten_number(value), expected, "{value}");
        }
    }
}
