//! The file itself: where it is, how it is opened, which schema it has.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqlSafeStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::error::{Fault, StoreError};

/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The schema, step by step: what was released is never edited, only added to.
const SCHEMA: [(i64, &str, &str); 1] = [(1, "ledger", include_str!("../migrations/0001_ledger.sql"))];

/// The newest step of the schema.
pub(crate) const SCHEMA_VERSION: i64 = SCHEMA[SCHEMA.len() - 1].0;

/// The database file of a data directory.
pub(crate) fn file_in(data: &Path) -> PathBuf {
    data.join("mailhaul.db")
}

/// Makes a directory, and those above it, for its owner alone. One that exists is left as it is.
pub(crate) fn make_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::file(path))
}

/// Makes the database file for its owner alone; `SQLite` gives its companions the same mode.
pub(crate) fn make_file(data: &Path) -> Result<PathBuf, StoreError> {
    let path = file_in(data);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        // SQLite syncs the file, but nobody else syncs the directory entry of the file we made.
        Ok(_) => {
            File::open(data).and_then(|directory| directory.sync_all()).map_err(StoreError::file(data))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(StoreError::file(&path)(error)),
    }
    Ok(path)
}

/// How the writer opens the file. Statements are not logged: they would drown everything else.
pub(crate) fn write_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// How readers open the file.
pub(crate) fn read_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Brings the schema up to date.
pub(crate) async fn migrate(options: &SqliteConnectOptions) -> Result<(), Fault> {
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut connection = options.connect().await?;
    let migrator = Migrator::with_migrations(SCHEMA.into_iter().map(step).collect());
    migrator.run(&mut connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => Fault::Version { found, known: SCHEMA_VERSION },
        other => Fault::Migrate(other),
    })?;
    connection.close().await?;
    Ok(())
}

/// Whether the file has a schema: false where its making was cut short. One of another version is an error.
pub(crate) async fn has_schema(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    let tables: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('_sqlx_migrations', 'mailbox')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if tables < 2 {
        return Ok(false);
    }
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    if found == SCHEMA_VERSION { Ok(true) } else { Err(Fault::Version { found, known: SCHEMA_VERSION }) }
}
