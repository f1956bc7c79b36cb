//! Both schemas are the same: that of the file and that of a server, table by table and index by index.

#![allow(clippy::unwrap_used, reason = "a test ends with a panic")]

use std::{collections::BTreeSet, fs, path::Path};

use mailhaul_testkit::Postgres;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteRow};

/// The server's catalogue, a line for each column, key and index. Parts of a table are left out.
const SERVER_CATALOGUE: &str = include_str!("catalogue.sql");

#[tokio::test]
async fn both_schemas_are_the_same() {
    let server = server();
    let (file, server) = (of_file().await, lines(&server.ask(SERVER_CATALOGUE)));
    let only_file: Vec<_> = file.difference(&server).collect();
    let only_server: Vec<_> = server.difference(&file).collect();
    assert!(
        only_file.is_empty() && only_server.is_empty(),
        "only in the file:\n{only_file:#?}\nonly on the server:\n{only_server:#?}\nA step changes both schemas: \
         crates/store/migrations/*.sql and crates/store/migrations/postgres/*.sql."
    );
}

#[test]
fn each_kind_of_difference_is_seen() {
    let server = server();
    let before = lines(&server.ask(SERVER_CATALOGUE));
    for change in [
        "CREATE TABLE more (id BIGINT PRIMARY KEY)",
        "ALTER TABLE audit ADD COLUMN more BIGINT",
        "ALTER TABLE message DROP COLUMN arrived",
        "ALTER TABLE audit ALTER COLUMN who DROP NOT NULL",
        "ALTER TABLE audit ALTER COLUMN time TYPE TEXT",
        "ALTER TABLE endpoint ALTER COLUMN rates DROP DEFAULT",
        "ALTER TABLE secret DROP CONSTRAINT secret_pkey",
        "ALTER TABLE mailbox DROP CONSTRAINT mailbox_source_target_key",
        "ALTER TABLE mailbox ALTER COLUMN source TYPE TEXT COLLATE \"default\"",
        "ALTER TABLE usage DROP CONSTRAINT usage_endpoint_fkey",
        "ALTER TABLE usage DROP CONSTRAINT usage_endpoint_fkey, ADD FOREIGN KEY (endpoint) REFERENCES endpoint (guid)",
        "DROP INDEX usage_hour",
        "DROP INDEX user_lost; CREATE INDEX user_lost ON migration_user (source_endpoint) WHERE lost >= 3",
        "DROP INDEX user_batch; CREATE INDEX user_batch ON migration_user (batch DESC)",
    ] {
        let after = server.ask(&format!("BEGIN; {change}; {SERVER_CATALOGUE}; ROLLBACK"));
        assert_ne!(lines(&after), before, "{change}");
    }
}

/// A server with all steps of its schema.
fn server() -> Postgres {
    let server = Postgres::start(&[]);
    for step in steps("migrations/postgres") {
        server.ask(&step);
    }
    server
}

/// The texts of the steps in a directory, in their order.
fn steps(directory: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(normal).collect()
}

/// Removes what the two write differently: blanks, parentheses, types of constants, the form of `IN`.
fn normal(line: &str) -> String {
    let line = line.replace("::text", "").replace("::bigint", "").replace("= ANY (ARRAY[", "IN (");
    let words = line.replace(['(', ')', ']'], " ").replace(',', " , ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The file's catalogue after all steps, in the server's words.
async fn of_file() -> BTreeSet<String> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for step in steps("migrations") {
        sqlx::raw_sql(AssertSqlSafe(step)).execute(&mut connection).await.unwrap();
    }
    let mut file = File { connection };
    let tables = file
        .rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", "");
    let mut found = Vec::new();
    for table in tables.await {
        let (name, sql): (String, String) = (table.get("name"), table.get("sql"));
        file.columns(&name, &sql, &mut found).await;
        file.foreign_keys(&name, &mut found).await;
        file.indexes(&name, &sql, &mut found).await;
    }
    found.iter().map(|line| normal(line)).collect()
}

struct File {
    connection: SqliteConnection,
}

impl File {
    async fn rows(&mut self, sql: &'static str, parameter: &str) -> Vec<SqliteRow> {
        sqlx::query(sql).bind(parameter).fetch_all(&mut self.connection).await.unwrap()
    }

    async fn columns(&mut self, table: &str, sql: &str, found: &mut Vec<String>) {
        let columns = self.rows("SELECT * FROM pragma_table_xinfo(?)", table).await;
        let mut key: Vec<(i64, String)> = Vec::new();
        for column in &columns {
            let (name, place): (String, i64) = (column.get("name"), column.get("pk"));
            let kind = match column.get("type") {
                "INTEGER" => "bigint",
                "TEXT" => "text",
                "REAL" => "double precision",
                "BLOB" if self.is_guid(table, &name).await => "uuid",
                "BLOB" => "bytea",
                other => panic!("{table}.{name} has the type {other}"),
            };
            let mut line = format!("column {table} {name} {kind}");
            if place > 0 || column.get("notnull") {
                line += " not null";
            }
            if let Some(expression) = generated(sql, &name) {
                line = format!("{line} generated {expression}");
            } else if let Some(value) = column.get::<Option<String>, _>("dflt_value") {
                line = format!("{line} default {value}");
            }
            found.push(line);
            if place > 0 {
                key.push((place, name));
            }
        }
        key.sort();
        let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
        found.push(format!("primary key {table} ({})", key.join(",")));
    }

    /// True for a column of 16 bytes, and for one that refers to such a column.
    async fn is_guid(&mut self, table: &str, column: &str) -> bool {
        let (mut table, mut column) = (table.to_owned(), column.to_owned());
        loop {
            let sql = self.rows("SELECT sql FROM sqlite_schema WHERE name = ?", &table).await;
            if sql[0].get::<&str, _>("sql").contains(&format!("length({column}) = 16")) {
                return true;
            }
            let keys = self.rows("SELECT * FROM pragma_foreign_key_list(?)", &table).await;
            let Some(key) = keys.iter().find(|key| key.get::<&str, _>("from") == column) else {
                return false;
            };
            (table, column) = (key.get("table"), key.get("to"));
        }
    }

    async fn foreign_keys(&mut self, table: &str, found: &mut Vec<String>) {
        let sql = "SELECT \"table\", lower(on_delete) AS action, group_concat(\"from\") AS here, group_concat(\"to\") AS there \
                   FROM (SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq) GROUP BY id";
        for key in self.rows(sql, table).await {
            let (other, action): (String, String) = (key.get("table"), key.get("action"));
            let (here, there): (String, String) = (key.get("here"), key.get("there"));
            found.push(format!("foreign key {table} ({here}) to {other} ({there}) on delete {action}"));
        }
    }

    async fn indexes(&mut self, table: &str, table_sql: &str, found: &mut Vec<String>) {
        let sql = "SELECT it.name, it.\"unique\", schema.sql FROM pragma_index_list(?) AS it \
                   JOIN sqlite_schema AS schema ON schema.name = it.name WHERE it.origin <> 'pk'";
        for index in self.rows(sql, table).await {
            let name: String = index.get("name");
            let keys =
                self.rows("SELECT * FROM pragma_index_xinfo(?) WHERE \"key\" ORDER BY seqno", &name).await;
            let keys: Vec<String> = keys.iter().map(|key| key_words(key, table_sql)).collect();
            // A unique constraint has another name on each side.
            let name = if index.get("unique") { "unique".to_owned() } else { name };
            let mut line = format!("index {name} {table} ({})", keys.join(","));
            let sql: Option<String> = index.get("sql");
            if let Some((_, condition)) = sql.as_deref().and_then(|sql| sql.split_once(" WHERE ")) {
                line = format!("{line} where {condition}");
            }
            found.push(line);
        }
    }
}

/// One key of an index. NOCASE compares as the small letters do.
fn key_words(key: &SqliteRow, table_sql: &str) -> String {
    let name: String = key.get("name");
    let is_nocase = key.get::<&str, _>("coll") == "NOCASE";
    let words =
        if is_nocase { format!("lower({name})") } else { generated(table_sql, &name).unwrap_or(name) };
    if key.get("desc") { format!("{words} DESC") } else { words }
}

/// The expression of a generated column.
fn generated(table_sql: &str, column: &str) -> Option<String> {
    let (_, rest) = table_sql.split_once(&format!(" {column} TEXT GENERATED ALWAYS AS ("))?;
    let end = rest.find(") VIRTUAL").or_else(|| rest.find(") STORED"))?;
    Some(rest[..end].to_owned())
}
