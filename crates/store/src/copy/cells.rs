//! Values of rows on their way from one database to the other.

use mailhaul_migration::Guid;

use crate::db::{
    catalogue::{ColumnKind, Table},
    error::Fault,
    sql::{Row, Stored, Value, without_nul},
};

/// A value in the form that both databases share: a GUID is its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// Returns the value for a column of this type.
    pub(super) fn into_value(self, kind: ColumnKind) -> Result<Value, Fault> {
        Ok(match (kind, self) {
            (ColumnKind::Number, Self::Number(number)) => number.into(),
            (ColumnKind::Number, Self::Null) => Value::Number(None),
            (ColumnKind::Text, Self::Text(text)) => text.into(),
            (ColumnKind::Text, Self::Null) => Value::Text(None),
            (ColumnKind::Bytes, Self::Bytes(bytes)) => bytes.into(),
            (ColumnKind::Bytes, Self::Null) => Value::Bytes(None),
            (ColumnKind::Guid, Self::Bytes(bytes)) => {
                Guid::from_slice(&bytes).map_err(|_| Fault::Unreadable("GUID"))?.into()
            }
            (ColumnKind::Guid, Self::Null) => Value::Guid(None),
            _ => return Err(Fault::Unreadable("value")),
        })
    }
}

/// A row, with its cells in the order of the table's columns.
pub(super) type Cells = Vec<Cell>;

/// Reads the row of a table.
///
/// In texts for a server, which cannot hold NUL, each is replaced as the service does it. A row with a checksum over such
/// a text was refused before.
pub(super) fn cells(table: &Table, row: &Row, is_for_server: bool) -> Result<Cells, Fault> {
    let cell = |place| {
        Ok(match row.stored(place)?.ok_or(Fault::Unreadable("value"))? {
            Stored::Null => Cell::Null,
            Stored::Number(number) => Cell::Number(number),
            Stored::Text(text) if is_for_server => Cell::Text(without_nul(text.to_owned())),
            Stored::Text(text) => Cell::Text(text.to_owned()),
            Stored::Bytes(bytes) => Cell::Bytes(bytes.to_owned()),
            Stored::Guid(guid) => Cell::Bytes(guid.as_bytes().to_vec()),
        })
    };
    (0..table.columns.len()).map(cell).collect()
}

/// Returns the primary key of a row.
pub(super) fn key_of(table: &Table, cells: &Cells) -> Cells {
    table.key.iter().map(|place| cells[*place].clone()).collect()
}
