//! CSV file of users.

use std::collections::HashMap;

use mailhaul_mail::Secret;

use crate::{
    csv_error::{CellPosition, CsvError},
    rows::{Row, Rows},
    user_row::{COLUMNS, UserRow},
};

/// Number of [`COLUMNS`] that can be required.
const REQUIRED: usize = 3;

/// Maximum number of rows after the header.
pub const MAX_ROWS: usize = 50_000;

/// Maximum size of the file in bytes: 10 MB.
pub const MAX_OCTETS: usize = 10 * 1024 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Ignores unknown columns with a warning instead of refusing them.
    pub allow_unknown_columns: bool,
    /// `Password` is optional, because an administrator or an application opens all mailboxes.
    pub without_passwords: bool,
    /// `UserName` is optional and defaults to `EmailAddress`, because the source knows mailboxes by
    /// address.
    pub without_user_names: bool,
}

impl CsvOptions {
    /// Required columns among the first of [`COLUMNS`].
    fn required(self) -> [bool; REQUIRED] {
        [true, !self.without_user_names, !self.without_passwords]
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserList {
    /// In the file's order, without repeated e-mail addresses.
    pub users: Vec<UserRow>,
    /// Rows that were left out, with the reason.
    pub warnings: Vec<String>,
}

/// Parses the users of a CSV file: UTF-8 with or without a byte order mark, or UTF-16 with one.
///
/// Column names are exact. Cells are taken as they are, except for spaces around the e-mail address.
/// Empty lines do not count as rows. A row with a repeated `EmailAddress` is left out with a warning.
///
/// # Errors
/// [`CsvError`] names the first row and column that are wrong. The file is then not used.
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
        // Text never contains it; UTF-16 without a byte order mark does.
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
    // Half a character at the end is read as an invalid one.
    let units = pairs.iter().map(|&pair| unit(pair)).chain((!odd.is_empty()).then_some(0xD800));
    for character in char::decode_utf16(units) {
        let line = || text.matches('\n').count() + 1;
        text.push(character.map_err(|_| CsvError::NotText { line: line(), encoding: "UTF-16" })?);
    }
    Ok(text)
}

/// Positions of the columns in a row.
struct Columns {
    /// Index of the cell for each of [`COLUMNS`].
    cells: [Option<usize>; COLUMNS.len()],
    count: usize,
    /// Required columns among the first.
    required: [bool; REQUIRED],
}

impl Columns {
    fn of(header: &Row, options: CsvOptions, warnings: &mut Vec<String>) -> Result<Self, CsvError> {
        let known = |cell: &String| COLUMNS.iter().position(|column| column == cell);
        // Without one correct name, this row may be data, and its cells must not be shown.
        let is_header = header.cells.iter().any(|cell| known(cell).is_some());
        let mut cells = [None; COLUMNS.len()];
        let mut unknown = Vec::new();
        for (index, cell) in header.cells.iter().enumerate() {
            let mut place = CellPosition::at(header.number, index + 1);
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
            // Prefers an error with a suggestion over an unneeded column.
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
        warnings.extend(unknown.iter().map(|error| format!("{error}; the column is ignored")));
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
        // A password of spaces is valid.
        let empty = [email_address.is_empty(), user_name.trim().is_empty(), password.is_empty()];
        for column in 0..REQUIRED {
            if self.required[column] && empty[column] {
                let index = self.cells[column].unwrap_or_default();
                let place = CellPosition { row: row.number, column: index + 1, name: Some(COLUMNS[column]) };
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

/// Finds the known column that differs only in case, spaces and punctuation, or in a few letters.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    // A cell of this length is no misspelt name, and the cost of comparing grows with its length.
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
        [cell] if cell.contains(';') => "; separate the cells by commas, not by semicolons",
        [cell] if cell.contains('\t') => "; separate the cells by commas, not by tabs",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
