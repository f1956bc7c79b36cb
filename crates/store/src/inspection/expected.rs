//! The schema that this program makes, compared with that of a database.

use std::collections::BTreeSet;

use sqlx::{Connection as _, SqliteConnection};

use crate::db::{
    database::{self, SCHEMA_VERSION},
    error::Fault,
    sql::{self, Connection},
};

/// Lines for each column, and for each index with a name of its own. A unique one has another name on each side.
const OF_FILE: &str = "SELECT 'column ' || its.name || '.' || it.name FROM sqlite_schema AS its \
     JOIN pragma_table_xinfo(its.name) AS it WHERE its.type = 'table' AND its.name NOT LIKE 'sqlite!_%' ESCAPE '!' \
     AND its.name <> '_sqlx_migrations' \
     UNION ALL SELECT 'index ' || it.name FROM sqlite_schema AS its JOIN pragma_index_list(its.name) AS it \
     WHERE its.type = 'table' AND it.origin = 'c' AND NOT it.\"unique\"";
const OF_SERVER: &str = "SELECT 'column ' || relname || '.' || attname FROM pg_class \
     JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped \
     WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace \
     UNION ALL SELECT 'index ' || relname FROM pg_class JOIN pg_index ON indexrelid = oid \
     WHERE indisvalid AND relnamespace = current_schema()::regnamespace";

/// Returns the lines of this program's schema that the database lacks.
pub(super) async fn missing(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    let sql = if connection.is_shared() { OF_SERVER } else { OF_FILE };
    let found: BTreeSet<String> = sql::query_scalar(sql).fetch_all(connection).await?.into_iter().collect();
    // Both schemas have the same tables, so that a new file is the measure of both.
    let mut file = SqliteConnection::connect("sqlite::memory:").await?;
    database::migrate_to(&mut file, SCHEMA_VERSION).await?;
    let mut file = Connection::File(file);
    let expected: BTreeSet<String> =
        sql::query_scalar(OF_FILE).fetch_all(&mut file).await?.into_iter().collect();
    Ok(expected.difference(&found).cloned().collect())
}
