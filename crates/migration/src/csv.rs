//! CSV file of users.

use std::collections::HashMap;

use mailhaul_mail::Secret;

use crate::{
    address::{QUOTES, address_fault, is_blank},
    cell_notes::CellNotes,
    column_names::{NameMatch, shown_name},
    csv_error::{CsvError, CsvErrors, CsvPlace, CsvRule, Separator},
    csv_header::{Header, find_header},
    csv_text::decode,
    rows::Row,
    user_row::{COLUMNS, EMAIL_ADDRESS, PASSWORDS, TARGET_USER_NAME, USER_NAME, UserRow},
};

/// Number of [`COLUMNS`] that can be required.
const REQUIRED: usize = 3;

/// Maximum number of rows after the header.
pub const MAX_ROWS: usize = 50_000;

/// Maximum size of the file in bytes: 10 MB.
pub const MAX_OCTETS: usize = 10 * 1024 * 1024;

/// Rows that are left out and named. The others are only counted.
const MAX_NAMED_ROWS: usize = 100;

/// First row that is not named.
const NEXT_ROW: usize = MAX_NAMED_ROWS + 1;

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

/// Users of a file, and what was noticed on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserList {
    /// In the file's order, without repeated e-mail addresses.
    pub users: Vec<UserRow>,
    /// Number of rows with a value, below the header.
    pub rows: usize,
    /// Number of rows that were left out with a warning.
    pub left_out: usize,
    /// Columns that are used, in the file's order.
    pub columns: Vec<&'static str>,
    /// Rows that were left out, unusual separators and odd values. Their number is bounded.
    pub warnings: Vec<String>,
}

impl UserList {
    /// Counts a row that is left out, and names the first ones in a warning.
    pub(crate) fn leave_out(&mut self, row: usize, rule: &CsvRule) {
        self.left_out += 1;
        match self.left_out {
            ..=MAX_NAMED_ROWS => self.warnings.push(rule.left_out(row)),
            NEXT_ROW => self.warnings.push("More rows are left out; they are not named".to_owned()),
            _ => {}
        }
    }
}

/// Parses the users of a CSV file: UTF-8 with or without a byte order mark, or UTF-16 with one.
///
/// Case and blanks in column names make no difference. Cells are separated by commas, or by
/// semicolons or tabs if the header proves it. Passwords are taken as they are; blanks around
/// addresses and user names are removed. Rows without a value do not count. A row with a repeated
/// `EmailAddress` is left out with a warning.
///
/// # Errors
/// All errors of the file, each with its row and column. The file is then not used.
pub fn read_users(octets: &[u8], options: CsvOptions) -> Result<UserList, CsvErrors> {
    let (list, errors) = check_users(octets, options);
    errors.into_result().map(|()| list)
}

/// Parses the users of a CSV file as [`read_users`] does, and returns those without an error too.
pub fn check_users(octets: &[u8], options: CsvOptions) -> (UserList, CsvErrors) {
    let nothing = |error: CsvError| (UserList::default(), error.into());
    if octets.len() > MAX_OCTETS {
        return nothing(CsvError::file(CsvRule::TooLarge { octets: octets.len() }));
    }
    let text = match decode(octets) {
        Ok(text) => text,
        Err(error) => return nothing(error),
    };
    let header = match find_header(&text, &COLUMNS) {
        Ok(header) => header,
        Err(error) => return nothing(error),
    };
    let mut reader = Reader::new(&header, options);
    if header.is_certain {
        reader.read(header.rows);
    }
    reader.finish()
}

/// State of one reading.
struct Reader {
    /// Index of the cell for each of [`COLUMNS`].
    cells: [Option<usize>; COLUMNS.len()],
    /// Cells without a name in the header.
    nameless: Vec<usize>,
    /// Number of cells in the header.
    count: usize,
    required: [bool; REQUIRED],
    separator: Separator,
    /// First row with each address, in lower case.
    seen: HashMap<String, usize>,
    notes: CellNotes,
    /// Number of rows that consist of separators, and the first one.
    empty_rows: (usize, usize),
    list: UserList,
    errors: CsvErrors,
}

impl Reader {
    fn new(header: &Header<'_>, options: CsvOptions) -> Self {
        let mut reader = Self {
            cells: [None; COLUMNS.len()],
            nameless: Vec::new(),
            count: header.row.cells.len(),
            required: options.required(),
            separator: header.rows.separator,
            seen: HashMap::new(),
            notes: CellNotes::default(),
            empty_rows: (0, 0),
            list: UserList { warnings: header.warnings.clone(), ..UserList::default() },
            errors: CsvErrors::default(),
        };
        reader.take_names(header);
        reader.judge_other_names(header, options);
        reader
    }

    fn take_names(&mut self, header: &Header<'_>) {
        for (index, name) in header.names.iter().enumerate() {
            let NameMatch::Column(column) = *name else { continue };
            if let Some(first) = self.cells[column] {
                let place = CsvPlace::cell(header.row.number, index + 1).named(COLUMNS[column]);
                self.errors.push(CsvError::at(place, CsvRule::RepeatedColumn { first: first + 1 }));
            } else {
                self.cells[column] = Some(index);
                self.list.columns.push(COLUMNS[column]);
            }
        }
    }

    /// Refuses unknown and missing columns.
    ///
    /// A near miss is refused also where unknown columns are allowed: a column that is ignored
    /// because of its name would give every user another mailbox.
    fn judge_other_names(&mut self, header: &Header<'_>, options: CsvOptions) {
        let mut proposed = Vec::new();
        for (index, name) in header.names.iter().enumerate() {
            let cell = &header.row.cells[index];
            let (meant, is_near) = match *name {
                NameMatch::Column(_) => continue,
                NameMatch::NearMiss(meant) => (Some(meant), true),
                NameMatch::Synonym(meant) => (Some(meant), false),
                NameMatch::Unknown if cell.chars().all(is_blank) => {
                    self.nameless.push(index);
                    continue;
                }
                NameMatch::Unknown => (None, false),
            };
            let meant = meant.filter(|meant| !self.list.columns.contains(meant));
            let is_missing = meant.is_some_and(|meant| self.is_required(meant));
            let place = CsvPlace::cell(header.row.number, index + 1);
            let name = if header.is_certain { Some(shown_name(cell)) } else { None };
            let error = CsvError::at(place, CsvRule::UnknownColumn { name, meant });
            if !options.allow_unknown_columns || is_missing || (is_near && meant.is_some()) {
                self.errors.push(error);
                proposed.extend(meant);
            } else {
                self.list.warnings.push(format!("{}: {}; the column is ignored", error.place, error.rule));
            }
        }
        for (column, name) in COLUMNS.into_iter().enumerate().take(REQUIRED) {
            if self.required[column] && self.cells[column].is_none() && !proposed.contains(&name) {
                self.errors.push(CsvError::file(CsvRule::MissingColumn { name }));
            }
        }
    }

    fn is_required(&self, name: &str) -> bool {
        (0..REQUIRED).any(|column| self.required[column] && COLUMNS[column] == name)
    }

    fn read(&mut self, rows: impl Iterator<Item = Result<Row, CsvError>>) {
        for row in rows {
            if let Ok(row) = &row
                && row.is_blank()
            {
                let (count, first) = self.empty_rows;
                self.empty_rows = (count + 1, if count == 0 { row.number } else { first });
                continue;
            }
            self.list.rows += 1;
            if self.list.rows > MAX_ROWS {
                self.errors.push(CsvError::file(CsvRule::TooManyRows));
                return;
            }
            match row {
                Ok(row) => self.take_row(row),
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn take_row(&mut self, row: Row) {
        let Some(user) = self.user(row) else { return };
        let first = *self.seen.entry(user.email_address.to_lowercase()).or_insert(user.row);
        if first == user.row {
            self.list.users.push(user);
            return;
        }
        self.list.leave_out(user.row, &CsvRule::SameAddress { first });
    }

    fn user(&mut self, mut row: Row) -> Option<UserRow> {
        if row.cells.len() != self.count {
            let (expected, found) = (self.count, row.cells.len());
            let ends_empty = row.cells.iter().skip(expected).all(String::is_empty);
            let rule = CsvRule::CellCount { expected, found, separator: self.separator, ends_empty };
            self.errors.push(CsvError::at(CsvPlace::row(row.number), rule));
            return None;
        }
        let before = self.errors.count();
        self.refuse_nameless(&row);
        let mut values = [const { String::new() }; COLUMNS.len()];
        for (column, value) in values.iter_mut().enumerate() {
            if let Some(index) = self.cells[column] {
                *value = self.value(column, row.number, std::mem::take(&mut row.cells[index]));
            }
        }
        let [email_address, user_name, password, user_root, target_user_name, target_password] = values;
        if self.errors.count() > before || email_address.is_empty() {
            return None;
        }
        let given = |cell: String| if cell.is_empty() { None } else { Some(cell) };
        Some(UserRow {
            row: row.number,
            target_user_name: given(target_user_name).unwrap_or_else(|| email_address.clone()),
            user_name: given(user_name).unwrap_or_else(|| email_address.clone()),
            email_address,
            password: given(password).map(Secret::new),
            user_root: given(user_root),
            target_password: given(target_password).map(Secret::new),
        })
    }

    /// Refuses values below a header without a name: an unquoted separator shifted them there.
    fn refuse_nameless(&mut self, row: &Row) {
        for index in &self.nameless {
            if !row.cells[*index].chars().all(is_blank) {
                let place = CsvPlace::cell(row.number, index + 1);
                let rule = CsvRule::NamelessCell { separator: self.separator };
                self.errors.push(CsvError::at(place, rule));
            }
        }
    }

    /// Returns the value of a cell, and records what is wrong or odd about it.
    fn value(&mut self, column: usize, row: usize, cell: String) -> String {
        let is_password = PASSWORDS.contains(&column);
        let is_name = matches!(column, EMAIL_ADDRESS | USER_NAME | TARGET_USER_NAME);
        let trimmed = cell.trim_matches(is_blank);
        let value = if is_name {
            if trimmed.len() < cell.len() && !trimmed.is_empty() {
                self.notes.trimmed(column, row);
            }
            trimmed.to_owned()
        } else if trimmed.is_empty() && !is_password {
            String::new()
        } else {
            // A password of spaces is valid.
            cell
        };
        match fault(column, &value) {
            Some(CsvRule::EmptyCell) if !self.required.get(column).is_some_and(|it| *it) => {}
            Some(rule) => {
                let index = self.cells[column].unwrap_or_default();
                let place = CsvPlace::cell(row, index + 1).named(COLUMNS[column]);
                self.errors.push(CsvError::at(place, rule));
            }
            None => self.notes.value(column, row, &value),
        }
        value
    }

    fn finish(mut self) -> (UserList, CsvErrors) {
        let list = &mut self.list;
        match self.empty_rows {
            (0, _) => {}
            (1, row) => list.warnings.push(format!("Row {row} has no values; it is ignored")),
            (count, first) => {
                let words = format!("{count} rows have no values; they are ignored (first: row {first})");
                list.warnings.push(words);
            }
        }
        match self.nameless.as_slice() {
            [] => {}
            [index] => {
                let words = format!("Column {} has no name and no values; it is ignored", index + 1);
                list.warnings.push(words);
            }
            [first, ..] => list.warnings.push(format!(
                "{} columns have no name and no values; they are ignored (first: column {})",
                self.nameless.len(),
                first + 1
            )),
        }
        list.warnings.extend(self.notes.warnings(list.users.len() + list.left_out));
        if self.errors.is_empty() && list.users.is_empty() {
            self.errors.push(CsvError::file(CsvRule::NoUsers));
        }
        (self.list, self.errors)
    }
}

/// Error values of spreadsheets, in English and German.
const SPREADSHEET_ERRORS: [&str; 11] = [
    "#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#NV", "#WERT!", "#BEZUG!", "#ZAHL!",
];

/// Finds the rule that a value breaks.
fn fault(column: usize, value: &str) -> Option<CsvRule> {
    if value.is_empty() {
        return Some(CsvRule::EmptyCell);
    }
    if SPREADSHEET_ERRORS.contains(&value) {
        return Some(CsvRule::SpreadsheetError);
    }
    if value.contains(['\r', '\n']) {
        return Some(CsvRule::LineBreak);
    }
    match column {
        EMAIL_ADDRESS => address_fault(value).map(CsvRule::Address),
        USER_NAME | TARGET_USER_NAME if value.starts_with(QUOTES) && value.ends_with(QUOTES) => {
            Some(CsvRule::QuotedName)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
