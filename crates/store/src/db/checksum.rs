//! Checksums of rows. Each read of a row detects changes that mailhaul did not make.
//!
//! A checksum covers the table, the row's key and every value that is not NULL. A later step of the schema
//! may therefore add columns without new checksums for old rows. It guards against damage, not against
//! forgery: 32 bits of BLAKE3.

use crate::db::{
    catalogue::Table,
    error::Fault,
    sql::{Row, Stored},
};

/// Step of the schema that added the checksum columns.
pub(crate) const CHECKSUMS_SINCE: i64 = 12;

/// Name of the checksum column.
const COLUMN: &str = "checksum";

pub(crate) enum Cell<'a> {
    Number(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Collects the values of one row.
pub(crate) struct Checksum(Vec<u8>);

impl Checksum {
    pub(crate) fn new(table: &str) -> Self {
        let mut gathered = Vec::with_capacity(256);
        gathered.extend_from_slice(table.as_bytes());
        Self(gathered)
    }

    /// Adds a value. NULL is left out.
    pub(crate) fn add<'a>(&mut self, column: &str, value: impl Into<Option<Cell<'a>>>) {
        let number;
        let (tag, bytes) = match value.into() {
            None => return,
            Some(Cell::Number(value)) => {
                number = value.to_le_bytes();
                (0, number.as_slice())
            }
            Some(Cell::Text(text)) => (1, text.as_bytes()),
            Some(Cell::Bytes(bytes)) => (2, bytes),
        };
        // No column has a NUL in its name, and the length marks the end of the value.
        self.0.push(0);
        self.0.extend_from_slice(column.as_bytes());
        self.0.extend_from_slice(&[0, tag]);
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// Returns the checksum as it is stored.
    pub(crate) fn finish(self) -> i64 {
        let [a, b, c, d, ..] = *blake3::hash(&self.0).as_bytes();
        u32::from_le_bytes([a, b, c, d]).into()
    }
}

/// Columns of a user that the checksum covers: those that name the user and its mailboxes.
const USER_COLUMNS: [&str; 8] = [
    "guid",
    "batch",
    "source_endpoint",
    "csv_row",
    "email_address",
    "user_name",
    "user_root",
    "target_user_name",
];

/// Columns that the database computes from others.
const COMPUTED: [&str; 2] = ["name_key", "email_key"];

/// True if the checksum of the table's rows covers the column.
fn is_covered(table: &str, column: &str) -> bool {
    column != COLUMN && !COMPUTED.contains(&column) && (table != "user" || USER_COLUMNS.contains(&column))
}

/// True if a checksum covers the column, that of its row or of another one.
pub(crate) fn is_checked(table: &Table, column: &str) -> bool {
    let has_checksum = table.columns.iter().any(|it| it.name == COLUMN);
    let name = if table.name == "migration_user" { "user" } else { &table.name };
    // A row of `edited` counts as part of its message.
    table.name == "edited" || (has_checksum && is_covered(name, column))
}

/// Computes the checksum of a row from its values.
pub(crate) fn row_checksum(table: &str, row: &Row) -> Result<i64, Fault> {
    let mut checksum = Checksum::new(table);
    for (place, name) in row.names().into_iter().enumerate().filter(|(_, name)| is_covered(table, name)) {
        match row.stored(place)?.ok_or(Fault::Unreadable("value"))? {
            Stored::Null => {}
            Stored::Number(number) => checksum.add(name, Cell::Number(number)),
            Stored::Text(text) => checksum.add(name, Cell::Text(text)),
            Stored::Bytes(bytes) => checksum.add(name, Cell::Bytes(bytes)),
            Stored::Guid(guid) => checksum.add(name, Cell::Bytes(guid.as_bytes())),
        }
    }
    Ok(checksum.finish())
}

/// Returns an error if the row does not match its checksum.
pub(crate) fn check_row(table: &str, row: &Row) -> Result<(), Fault> {
    let stored: Option<i64> = row.try_get(COLUMN)?;
    if stored == Some(row_checksum(table, row)?) {
        return Ok(());
    }
    // The name itself may be the damaged value; it still helps the operator to find the row.
    let name: Option<&str> = match table {
        "endpoint" | "batch" => row.try_get("name").ok(),
        "user" => row.try_get("email_address").ok(),
        _ => None,
    };
    let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    Err(Fault::Damaged(format!("the record of the {table}{name} does not match its checksum")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(&str, Option<Cell<'_>>)]) -> i64 {
        let mut checksum = Checksum::new("folder");
        for (column, value) in values {
            checksum.add(
                column,
                value.as_ref().map(|value| match value {
                    Cell::Number(number) => Cell::Number(*number),
                    Cell::Text(text) => Cell::Text(text),
                    Cell::Bytes(bytes) => Cell::Bytes(bytes),
                }),
            );
        }
        checksum.finish()
    }

    #[test]
    fn each_value_counts_with_its_column_its_type_and_its_end() {
        let all = [
            of(&[("a", Some(Cell::Text("1"))), ("b", Some(Cell::Text("2")))]),
            of(&[("a", Some(Cell::Text("12"))), ("b", Some(Cell::Text("")))]),
            of(&[("a", Some(Cell::Text("12")))]),
            of(&[("b", Some(Cell::Text("12")))]),
            of(&[("a", Some(Cell::Bytes(b"12")))]),
            of(&[("a", Some(Cell::Number(12)))]),
            of(&[("a", Some(Cell::Number(13)))]),
        ];
        let different: std::collections::BTreeSet<i64> = all.into_iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(all.iter().all(|sum| (0..1 << 32).contains(sum)));
        assert_eq!(of(&[("a", Some(Cell::Number(12))), ("b", None)]), all[5]);
    }
}
