//! Pages of rows, in the order of the primary key.
//!
//! A table without gaps is copied in this order, each page in one transaction. So after an end at any moment the target has
//! the first rows of the table, and its last key is the place to go on.

use super::cells::{Cell, Cells, cells};
use crate::db::{
    catalogue::Table,
    error::Fault,
    sql::{self, Builder, Connection, Value},
};

/// Rows of a page, and of one transaction.
const ROWS: usize = 5_000;
/// Maximum number of rows in one statement of a file.
const ROWS_PER_STATEMENT: usize = 250;
/// `SQLite`'s limit on the parameters of one statement.
const MAX_PARAMETERS: usize = 32_766;

/// The part of a table that is read.
#[derive(Clone, Default)]
pub(super) struct Bounds {
    /// The row before the first one.
    pub(super) after: Option<Cells>,
    /// The last row.
    pub(super) until: Option<Cells>,
}

/// Reads the next rows. An empty page is the end.
pub(super) async fn read(
    connection: &mut Connection,
    table: &Table,
    bounds: &Bounds,
    is_for_server: bool,
) -> Result<Vec<Cells>, Fault> {
    let key = table.key_list();
    let mut query = Builder::new(&format!("SELECT {} FROM {}", table.column_list(), table.name));
    let limits = [(" > ", &bounds.after), (" <= ", &bounds.until)];
    let mut word = " WHERE ";
    for (sign, bound) in limits.into_iter().filter_map(|(sign, bound)| Some((sign, bound.as_ref()?))) {
        query.push(word).push(&format!("({key})")).push(sign);
        push_key(&mut query, table, bound)?;
        word = " AND ";
    }
    query.push(&format!(" ORDER BY {key} LIMIT {ROWS}"));
    let rows = query.build().fetch_all(connection).await?;
    rows.iter().map(|row| cells(table, row, is_for_server)).collect()
}

fn push_key(query: &mut Builder, table: &Table, key: &Cells) -> Result<(), Fault> {
    for (place, (cell, column)) in key.iter().zip(table.key_columns()).enumerate() {
        query.push(if place == 0 { "(" } else { ", " });
        query.push_bind(cell.clone().into_value(column.kind)?);
    }
    query.push(")");
    Ok(())
}

/// Returns the greatest key; `None` if the table is empty.
pub(super) async fn last_key(connection: &mut Connection, table: &Table) -> Result<Option<Cells>, Fault> {
    let keys = table.key_alone();
    let list = keys.column_list();
    let order =
        keys.key_columns().map(|column| format!("{} DESC", column.name)).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {list} FROM {} ORDER BY {order} LIMIT 1", keys.name);
    let row = sql::query(sql).fetch_optional(connection).await?;
    row.map(|row| cells(&keys, &row, false)).transpose()
}

/// Writes the rows of a page.
pub(super) async fn write(connection: &mut Connection, table: &Table, page: Vec<Cells>) -> Result<(), Fault> {
    if connection.is_shared() {
        return write_arrays(connection, table, page).await;
    }
    let chunk = ROWS_PER_STATEMENT.min(MAX_PARAMETERS / table.columns.len().max(1));
    let insert = format!("INSERT INTO {} ({}) VALUES ", table.name, table.column_list());
    let mut rows = page.into_iter().peekable();
    while rows.peek().is_some() {
        let mut query = Builder::new(&insert);
        for (number, row) in rows.by_ref().take(chunk).enumerate() {
            query.push(if number == 0 { "(" } else { ", (" });
            for (place, (cell, column)) in row.into_iter().zip(&table.columns).enumerate() {
                if place > 0 {
                    query.push(", ");
                }
                query.push_bind(cell.into_value(column.kind)?);
            }
            query.push(")");
        }
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes a page with one array for each column.
async fn write_arrays(connection: &mut Connection, table: &Table, page: Vec<Cells>) -> Result<(), Fault> {
    let mut columns: Vec<Vec<Value>> = table.columns.iter().map(|_| Vec::with_capacity(page.len())).collect();
    for row in page {
        for ((cell, column), values) in row.into_iter().zip(&table.columns).zip(&mut columns) {
            values.push(cell.into_value(column.kind)?);
        }
    }
    let mut query =
        Builder::new(&format!("INSERT INTO {} ({}) SELECT * FROM unnest(", table.name, table.column_list()));
    for (place, (values, column)) in columns.into_iter().zip(&table.columns).enumerate() {
        if place > 0 {
            query.push(", ");
        }
        query.push_bind(Value::Column(values)).push(column.kind.array());
    }
    query.push(")");
    query.build().execute(connection).await?;
    Ok(())
}

/// True if the table has no row.
pub(super) async fn is_empty(connection: &mut Connection, table: &Table) -> Result<bool, Fault> {
    Ok(last_key(connection, table).await?.is_none())
}

/// Returns the number of rows.
pub(super) async fn count(connection: &mut Connection, table: &Table) -> Result<u64, Fault> {
    let sql = format!("SELECT count(*) FROM {}", table.name);
    let count: i64 = sql::query_scalar(sql).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

/// Returns the last key of a page; `None` if it is empty.
pub(super) fn end(table: &Table, page: &[Cells]) -> Option<Vec<Cell>> {
    page.last().map(|row| super::cells::key_of(table, row))
}
