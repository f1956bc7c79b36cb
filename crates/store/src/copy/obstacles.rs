//! Rows that the other kind of database cannot hold. They are found before anything is written.
//!
//! Names that differ in case only are none: both schemas have the same unique keys, of ASCII small letters.

use std::collections::BTreeMap;

use crate::db::{
    catalogue::{Column, ColumnKind, Table},
    checksum::is_checked,
    error::Fault,
    sql::{self, Connection},
};

/// Maximum number of rows that are listed for each table.
const MAX_LISTED: usize = 20;
/// Bytes that one entry of a server's index can have. `PostgreSQL` takes a third of a page.
const MAX_KEY_BYTES: usize = 2_600;

/// Rows of an index and one of its columns of text.
const TEXTS_OF_INDEXES: &str = "SELECT it.indexrelid::regclass::text AS name, indrelid::regclass::text AS \"table\", \
     attname::text AS \"column\" FROM pg_index AS it JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey::smallint[]) \
     JOIN pg_class ON pg_class.oid = indrelid \
     WHERE atttypid = 'text'::regtype AND relnamespace = current_schema()::regnamespace AND NOT relispartition ORDER BY 1, 3";

/// Describes the rows of the source, a file, that the target, a server, cannot hold.
pub(super) async fn of_file(
    source: &mut Connection,
    target: &mut Connection,
    tables: &[Table],
) -> Result<Vec<String>, Fault> {
    let mut found = archive_batches(source).await?;
    for table in tables {
        found.extend(texts_with_nul(source, table).await?);
    }
    let mut keys: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in sql::query(TEXTS_OF_INDEXES).fetch_all(target).await? {
        keys.entry((row.try_get("table")?, row.try_get("name")?)).or_default().push(row.try_get("column")?);
    }
    for ((name, _), columns) in keys {
        if let Some(table) = tables.iter().find(|table| table.name == name) {
            found.extend(long_keys(source, table, &columns).await?);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Describes the rows of the source, a server, that the target, a file, cannot hold.
///
/// A server writes a NUL in the name of a folder as `\0`, and a file as it is. The row's checksum covers the name.
pub(super) async fn of_server(source: &mut Connection) -> Result<Vec<String>, Fault> {
    let escape = r"~ '(^|[^\\])(\\\\)*\\0'";
    let sql = format!(
        "SELECT source FROM folder WHERE source {escape} OR target {escape} ORDER BY id LIMIT {MAX_LISTED}"
    );
    let names: Vec<String> = sql::query_scalar(sql).fetch_all(source).await?;
    let words = |name| format!("folder \"{name}\": a name with NUL has another form in a file");
    let mut found = archive_batches(source).await?;
    found.extend(names.into_iter().map(words));
    Ok(found)
}

/// Batches into the archive: a directory of one machine, or of the nodes that have it.
async fn archive_batches(source: &mut Connection) -> Result<Vec<String>, Fault> {
    let sql = "SELECT name FROM batch WHERE target_endpoint IS NULL ORDER BY id";
    let names: Vec<String> = sql::query_scalar(sql).fetch_all(source).await?;
    let words = |name| {
        format!(
            "batch \"{name}\": it migrates into the archive, which the copy would not have; remove the batch first"
        )
    };
    Ok(names.into_iter().map(words).collect())
}

/// Texts with NUL in rows whose checksum covers them: the text cannot be replaced.
async fn texts_with_nul(source: &mut Connection, table: &Table) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for column in table.columns.iter().filter(|it| it.kind == ColumnKind::Text && is_checked(table, &it.name))
    {
        let condition = format!("instr({}, char(0)) > 0", column.name);
        for row in rows(source, table, &condition).await? {
            found.push(format!("{row}: {} holds NUL, which PostgreSQL refuses in a text", column.name));
        }
    }
    Ok(found)
}

async fn long_keys(source: &mut Connection, table: &Table, columns: &[String]) -> Result<Vec<String>, Fault> {
    let bytes: Vec<_> = columns.iter().map(|it| format!("coalesce(length(CAST({it} AS BLOB)), 0)")).collect();
    let condition = format!("{} > {MAX_KEY_BYTES}", bytes.join(" + "));
    let words = columns.join(" and ");
    let found = rows(source, table, &condition).await?;
    Ok(found.into_iter().map(|row| format!("{row}: {words} has more than {MAX_KEY_BYTES} bytes")).collect())
}

/// Describes rows with this condition by their keys: `folder id 7`.
async fn rows(source: &mut Connection, table: &Table, condition: &str) -> Result<Vec<String>, Fault> {
    let keys: Vec<&Column> = table.key_columns().collect();
    // A key of bytes is a GUID.
    let values: Vec<String> = keys
        .iter()
        .map(|key| match key.kind {
            ColumnKind::Number | ColumnKind::Text => format!("'{0} ' || {0}", key.name),
            ColumnKind::Bytes | ColumnKind::Guid => format!("'{0} ' || lower(hex({0}))", key.name),
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} LIMIT {MAX_LISTED}",
        values.join(" || ', ' || "),
        table.name
    );
    let found: Vec<String> = sql::query_scalar(sql).fetch_all(source).await?;
    Ok(found.into_iter().map(|key| format!("{} {key}", table.name)).collect())
}
