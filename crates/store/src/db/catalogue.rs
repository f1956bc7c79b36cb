//! The tables of a database, as the database itself lists them. Those about the schema are left out.

use std::collections::BTreeMap;

use crate::db::{
    error::Fault,
    sql::{self, Connection},
};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// Columns with values of their own, by name: their order differs between the databases. Generated ones are left out.
    pub(crate) columns: Vec<Column>,
    /// Places of the columns of the primary key, in the key's order.
    pub(crate) key: Vec<usize>,
    /// Tables that its foreign keys refer to.
    parents: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Number,
    Text,
    Bytes,
    /// A GUID, which is bytes in a file.
    Guid,
}

/// Rows of table, column, type, and place in the primary key (from 1; 0 if it is not part of it).
const FILE_COLUMNS: &str = "SELECT its.name AS \"table\", it.name AS \"column\", it.type AS type, it.pk AS place \
     FROM sqlite_schema AS its JOIN pragma_table_xinfo(its.name) AS it WHERE its.type = 'table' \
     AND its.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND its.name <> '_sqlx_migrations' AND it.hidden = 0 ORDER BY 1, it.cid";
const SERVER_COLUMNS: &str = "SELECT relname::text AS \"table\", attname::text AS \"column\", format_type(atttypid, NULL) AS type, \
     coalesce(array_position(indkey::smallint[], attnum), -1)::bigint + 1 AS place FROM pg_class \
     JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' \
     LEFT JOIN pg_index ON indrelid = pg_class.oid AND indisprimary \
     WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = current_schema()::regnamespace \
     AND relname NOT IN ('_sqlx_migrations', 'schema_support') ORDER BY relname COLLATE \"C\", attnum";

/// Rows of a table and one that it refers to.
const FILE_PARENTS: &str = "SELECT its.name AS \"table\", it.\"table\" AS parent FROM sqlite_schema AS its \
     JOIN pragma_foreign_key_list(its.name) AS it WHERE its.type = 'table'";
const SERVER_PARENTS: &str = "SELECT conrelid::regclass::text AS \"table\", confrelid::regclass::text AS parent \
     FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace";

impl ColumnKind {
    /// Returns the cast to an array of this type, for a server.
    pub(crate) fn array(self) -> &'static str {
        match self {
            Self::Number => "::bigint[]",
            Self::Text => "::text[]",
            Self::Bytes => "::bytea[]",
            Self::Guid => "::uuid[]",
        }
    }
}

impl Table {
    /// Returns the columns as a list for a statement.
    pub(crate) fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the columns of the primary key.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().map(|place| &self.columns[*place])
    }

    /// Returns the columns of the primary key as a list for a statement.
    pub(crate) fn key_list(&self) -> String {
        self.key_columns().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the table with the columns of its primary key alone.
    pub(crate) fn key_alone(&self) -> Self {
        let columns = self.key_columns().cloned().collect();
        Self { columns, key: (0..self.key.len()).collect(), ..self.clone() }
    }

    /// True if both have the same columns and the same key.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let names = |table: &Self| table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        names(self) == names(other) && self.key == other.key
    }
}

/// Returns the tables of a database, each after those that it refers to.
pub(crate) async fn tables(connection: &mut Connection) -> Result<Vec<Table>, Fault> {
    let (columns, parents) =
        if connection.is_shared() { (SERVER_COLUMNS, SERVER_PARENTS) } else { (FILE_COLUMNS, FILE_PARENTS) };
    // Columns with their places in the primary key.
    let mut tables: BTreeMap<String, Vec<(Column, i64)>> = BTreeMap::new();
    for row in sql::query(columns).fetch_all(&mut *connection).await? {
        let column = Column { name: row.try_get("column")?, kind: kind(row.try_get("type")?)? };
        tables.entry(row.try_get("table")?).or_default().push((column, row.try_get("place")?));
    }
    let mut all_parents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in sql::query(parents).fetch_all(connection).await? {
        all_parents.entry(row.try_get("table")?).or_default().push(row.try_get("parent")?);
    }
    let tables = tables.into_iter().map(|(name, mut columns)| {
        columns.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        let places = columns.iter().map(|(_, place)| *place).enumerate().filter(|(_, place)| *place > 0);
        let mut key: Vec<usize> = places.map(|(number, _)| number).collect();
        key.sort_by_key(|number| columns[*number].1);
        let parents = all_parents.remove(&name).unwrap_or_default();
        Table { name, columns: columns.into_iter().map(|(column, _)| column).collect(), key, parents }
    });
    parents_first(tables.collect())
}

fn kind(words: &str) -> Result<ColumnKind, Fault> {
    match words {
        "INTEGER" | "bigint" => Ok(ColumnKind::Number),
        "TEXT" | "text" => Ok(ColumnKind::Text),
        "BLOB" | "bytea" => Ok(ColumnKind::Bytes),
        "uuid" => Ok(ColumnKind::Guid),
        other => Err(Fault::Damaged(format!("a column has the type {other}, which mailhaul never made"))),
    }
}

/// Sorts tables so that each comes after those that it refers to.
fn parents_first(mut waiting: Vec<Table>) -> Result<Vec<Table>, Fault> {
    let mut sorted: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_next = |table: &Table| {
            let mut parents = table.parents.iter();
            parents.all(|parent| *parent == table.name || sorted.iter().any(|it| it.name == *parent))
        };
        let (next, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_next);
        if next.is_empty() {
            return Err(Fault::Damaged("its tables refer to each other in a circle".to_owned()));
        }
        sorted.extend(next);
        waiting = later;
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, parents: &[&str]) -> Table {
        let parents = parents.iter().map(ToString::to_string).collect();
        Table { name: name.to_owned(), columns: Vec::new(), key: Vec::new(), parents }
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to() {
        let tables = vec![table("a", &["c"]), table("b", &["a", "b"]), table("c", &[])];
        let sorted: Vec<_> = parents_first(tables).unwrap().into_iter().map(|table| table.name).collect();
        assert_eq!(sorted, ["c", "a", "b"]);
        let circle = parents_first(vec![table("a", &["b"]), table("b", &["a"])]).unwrap_err();
        assert!(circle.to_string().contains("in a circle"), "{circle}");
    }
}
