//! The CSV file that lists the mailboxes of a migration.

use std::{collections::HashMap, fmt};

use mailhaul_mail::Secret;

use crate::{
    rows::{Row, Rows},
    user_row::UserRow,
};

/// The columns that are understood; the first ones must be there. Names are exact.
pub const COLUMNS: [&str; 6] =
    ["EmailAddress", "UserName", "Password", "UserRoot", "TargetUserName", "TargetPassword"];

/// How many of [`COLUMNS`] may be asked of every file and every row.
const REQUIRED: usize = 3;

/// Rows that a file may have beside its header.
pub const MAX_ROWS: usize = 50_000;

/// Octets that a file may have: 10 MB.
pub const MAX_OCTETS: usize = 10 * 1024 * 1024;

/// How the file is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Columns that are not understood are left out with a warning instead of refused.
    pub allow_unknown_columns: bool,
    /// Somebody opens all mailboxes of the source: `Password` may be missing or empty.
    pub without_passwords: bool,
    /// The source knows its mailboxes by address: `UserName` may be missing or empty, and is the `EmailAddress` then.
    pub without_user_names: bool,
}

impl CsvOptions {
    /// Which of the first [`COLUMNS`] every file must have, and every row must fill.
    fn required(self) -> [bool; REQUIRED] {
        [true, !self.without_user_names, !self.without_passwords]
    }
}

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserList {
    /// Whom to migrate, in the file's order; no e-mail address twice.
    pub users: Vec<UserRow>,
    /// What was left out and why, for the administrator.
    pub warnings: Vec<String>,
}

/// Where in the file something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row; the header is row 1.
    pub row: usize,
    /// The column, from 1.
    pub column: usize,
    /// The column's name, where the header is understood.
    pub name: Option<&'static str>,
}

impl Place {
    pub(crate) fn at(row: usize, column: usize) -> Self {
        Self { row, column, name: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row {}, column {}", self.row, self.column)?;
        self.name.map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// Why the file cannot be used. Never shows a cell below the header: it could be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// Nothing in it.
    #[error("The CSV file is empty")]
    Empty,
    /// A header and nothing else.
    #[error("The CSV file has a header but no rows: there is nobody to migrate")]
    NoRows,
    /// More octets than [`MAX_OCTETS`].
    #[error("The CSV file is larger than 10 MB ({octets} bytes); divide it into smaller files")]
    TooLarge {
        /// How many.
        octets: usize,
    },
    /// More rows than [`MAX_ROWS`].
    #[error("The CSV file contains more than 50,000 rows; divide it into smaller files")]
    TooManyRows,
    /// Octets that are no characters.
    #[error("Line {line} of the CSV file is not valid {encoding} text; save the file as \"CSV UTF-8\"")]
    NotText {
        /// The line, from 1.
        line: usize,
        /// The encoding that the file seems to have.
        encoding: &'static str,
    },
    /// A column that is not understood.
    #[error("{place}: the column name{} is not known{}; the columns are {}", quoted(.name.as_deref()), hint(*.nearest), COLUMNS.join(", "))]
    UnknownColumn {
        /// Where.
        place: Place,
        /// Its name, unless the first row may be no header at all and hold a password.
        name: Option<String>,
        /// The column that is probably meant.
        nearest: Option<&'static str>,
    },
    /// The first row is no header.
    #[error("Row 1 of the CSV file must name the columns, but none of {} is there{}", COLUMNS.join(", "), .hint)]
    NoHeader {
        /// What may be the reason.
        hint: &'static str,
    },
    /// A column that must be there.
    #[error("Column \"{name}\" is missing from the CSV file; it is required{}", hint_at_column(.nearest.as_deref()))]
    MissingColumn {
        /// Its name.
        name: &'static str,
        /// An unknown column of the file that is probably meant to be it.
        nearest: Option<String>,
    },
    /// A column that is there twice.
    #[error("{place}: the column name is there twice, first in column {first}")]
    RepeatedColumn {
        /// The second one.
        place: Place,
        /// The first one, from 1.
        first: usize,
    },
    /// A row with more or fewer cells than the header.
    #[error(
        "Row {row} has the wrong number of columns. Expected: {expected}. Found: {found}. A value with a comma in it \
         must stand in double quotes"
    )]
    CellCount {
        /// The row.
        row: usize,
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// Nothing where something is required.
    #[error("{place} is empty; a value is required")]
    EmptyCell {
        /// Where.
        place: Place,
    },
    /// A quote that is not closed before the file ends.
    #[error("{place}: the double quote at the start of the value is never closed")]
    UnclosedQuote {
        /// Where it was opened.
        place: Place,
    },
    /// A closing quote that is not followed by a comma or the line's end.
    #[error("{place}: text follows the closing double quote; write a quote inside a quoted value as two")]
    TextAfterQuote {
        /// Where.
        place: Place,
    },
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

/// Reads the users of a CSV file: UTF-8 with or without a byte order mark, or UTF-16 with one.
///
/// Names are exact, cells are taken as they are but for blanks around the e-mail address, and empty lines do not count
/// as rows. A row whose `EmailAddress` was there before is left out with a warning.
///
/// # Errors
/// [`CsvError`] names the first row and column that are wrong; nothing of the file is used then.
pub fn read_users(octets: &[u8], options: CsvOptions) -> Result<UserList, CsvError> {
    if octets.len() > MAX_OCTETS {
        return Err(CsvError::TooLarge { octets: octets.len() });
    }
    let text = decode(octets)?;
    let mut rows = Rows::new(&text);
    let header = rows.next().ok_or(CsvError::Empty)??;
    let mut warnings = Vec::new();
    let columns = Columns::of(&header, options, &mut warnings)?;
    let mut users = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, row) in rows.enumerate() {
        if index == MAX_ROWS {
            return Err(CsvError::TooManyRows);
        }
        let user = columns.user(row?)?;
        let first = *seen.entry(user.email_address.to_lowercase()).or_insert(user.row);
        if first == user.row {
            users.push(user);
        } else {
            let row = user.row;
            warnings.push(format!(
                "Row {row}: the EmailAddress is already in row {first}; row {row} is left out"
            ));
        }
    }
    if users.is_empty() { Err(CsvError::NoRows) } else { Ok(UserList { users, warnings }) }
}

pub(crate) fn decode(octets: &[u8]) -> Result<String, CsvError> {
    let text = match octets {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => {
            let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
            let text = str::from_utf8(octets).map_err(|error| {
                let before = String::from_utf8_lossy(&octets[..error.valid_up_to()]).matches('\n').count();
                CsvError::NotText { line: before + 1, encoding: "UTF-8" }
            })?;
            text.to_owned()
        }
    };
    match text.find('\0') {
        // No text has it; UTF-16 without a byte order mark is full of it.
        Some(nul) => Err(CsvError::NotText {
            line: text[..nul].matches('\n').count() + 1,
            encoding: "UTF-8 or UTF-16",
        }),
        None => Ok(text),
    }
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, CsvError> {
    let (pairs, odd) = octets.as_chunks::<2>();
    let mut text = String::with_capacity(octets.len());
    // Half a character at the end is read as one that cannot be.
    let units = pairs.iter().map(|&pair| unit(pair)).chain((!odd.is_empty()).then_some(0xD800));
    for character in char::decode_utf16(units) {
        let line = || text.matches('\n').count() + 1;
        text.push(character.map_err(|_| CsvError::NotText { line: line(), encoding: "UTF-16" })?);
    }
    Ok(text)
}

/// Which cell of a row is which.
struct Columns {
    /// For each of [`COLUMNS`], the index of its cell.
    cells: [Option<usize>; COLUMNS.len()],
    count: usize,
    /// Which of the first must be filled.
    required: [bool; REQUIRED],
}

impl Columns {
    fn of(header: &Row, options: CsvOptions, warnings: &mut Vec<String>) -> Result<Self, CsvError> {
        let known = |cell: &String| COLUMNS.iter().position(|column| column == cell);
        // Without one right name this may be no header, and its cells must not be shown.
        let is_header = header.cells.iter().any(|cell| known(cell).is_some());
        let mut cells = [None; COLUMNS.len()];
        let mut unknown = Vec::new();
        for (index, cell) in header.cells.iter().enumerate() {
            let mut place = Place::at(header.number, index + 1);
            let Some(column) = known(cell) else {
                let name = is_header.then(|| cell.clone());
                unknown.push(CsvError::UnknownColumn { place, name, nearest: nearest(cell) });
                continue;
            };
            if let Some(first) = cells[column].replace(index) {
                place.name = Some(COLUMNS[column]);
                return Err(CsvError::RepeatedColumn { place, first: first + 1 });
            }
        }
        if !is_header && !unknown.iter().any(|error| error.nearest().is_some()) {
            return Err(CsvError::NoHeader { hint: separator_hint(&header.cells) });
        }
        if !options.allow_unknown_columns && !unknown.is_empty() {
            // The one that can be helped with, before one that may only be unneeded.
            let index = unknown.iter().position(|error| error.nearest().is_some()).unwrap_or(0);
            return Err(unknown.swap_remove(index));
        }
        if let Some(name) =
            (0..REQUIRED).find(|&it| options.required()[it] && cells[it].is_none()).map(|it| COLUMNS[it])
        {
            let meant = unknown.into_iter().find(|error| error.nearest() == Some(name));
            let nearest = meant.and_then(|error| match error {
                CsvError::UnknownColumn { name, .. } => name,
                _ => None,
            });
            return Err(CsvError::MissingColumn { name, nearest });
        }
        warnings.extend(unknown.iter().map(|error| format!("{error}; the column is left out")));
        Ok(Self { cells, count: header.cells.len(), required: options.required() })
    }

    fn user(&self, mut row: Row) -> Result<UserRow, CsvError> {
        if row.cells.len() != self.count {
            return Err(CsvError::CellCount {
                row: row.number,
                expected: self.count,
                found: row.cells.len(),
            });
        }
        let mut cell = |column: usize| {
            self.cells[column].map_or_else(String::new, |index| std::mem::take(&mut row.cells[index]))
        };
        let [email_address, user_name, password, user_root, target_user_name, target_password] =
            std::array::from_fn(&mut cell);
        let email_address = email_address.trim().to_owned();
        // A password of blanks is one.
        let empty = [email_address.is_empty(), user_name.trim().is_empty(), password.is_empty()];
        for column in 0..REQUIRED {
            if self.required[column] && empty[column] {
                let index = self.cells[column].unwrap_or_default();
                let place = Place { row: row.number, column: index + 1, name: Some(COLUMNS[column]) };
                return Err(CsvError::EmptyCell { place });
            }
        }
        let user_name = if empty[1] { email_address.clone() } else { user_name };
        let given = |cell: String| if cell.is_empty() { None } else { Some(cell) };
        Ok(UserRow {
            row: row.number,
            target_user_name: given(target_user_name).unwrap_or_else(|| email_address.clone()),
            email_address,
            user_name,
            password: given(password).map(Secret::new),
            user_root: given(user_root),
            target_password: given(target_password).map(Secret::new),
        })
    }
}

impl CsvError {
    fn nearest(&self) -> Option<&'static str> {
        match self {
            Self::UnknownColumn { nearest, .. } => *nearest,
            _ => None,
        }
    }
}

/// The column that is probably meant: the same but for case, blanks and signs, or a few letters.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    // A cell as long as this is no misspelt name, and comparing takes time by its length.
    let name = Some(plain(name)).filter(|name| name.len() < 64)?;
    COLUMNS
        .into_iter()
        .map(|column| (strsim::damerau_levenshtein(&plain(column), &name), column))
        .filter(|(distance, column)| distance * 3 <= column.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, column)| column)
}

fn separator_hint(cells: &[String]) -> &'static str {
    match cells {
        [cell] if cell.contains(';') => "; are the cells separated by semicolons? They must be by commas",
        [cell] if cell.contains('\t') => "; are the cells separated by tabs? They must be by commas",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
