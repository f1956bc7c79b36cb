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

use crate::{
    error::{Fault, StoreError},
    upgrade,
};

/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The schema, step by step: what was released is never edited, only added to.
const SCHEMA: [(i64, &str, &str); 14] = [
    (1, "ledger", include_str!("../migrations/0001_ledger.sql")),
    (2, "service", include_str!("../migrations/0002_service.sql")),
    (3, "server profile", include_str!("../migrations/0003_server_profile.sql")),
    (4, "limits", include_str!("../migrations/0004_limits.sql")),
    (5, "repairs", include_str!("../migrations/0005_repairs.sql")),
    (6, "access tokens", include_str!("../migrations/0006_access_tokens.sql")),
    (7, "checks", include_str!("../migrations/0007_checks.sql")),
    (8, "dates", include_str!("../migrations/0008_dates.sql")),
    (9, "sign-in mechanism", include_str!("../migrations/0009_auth_mechanism.sql")),
    (10, "waiting", include_str!("../migrations/0010_waiting.sql")),
    (11, "lost", include_str!("../migrations/0011_lost.sql")),
    (12, "checksums", include_str!("../migrations/0012_checksums.sql")),
    (13, "waiting deletions", include_str!("../migrations/0013_waiting_deletions.sql")),
    (14, "service checksums", include_str!("../migrations/0014_service_checksums.sql")),
];

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
        // What was removed is overwritten: sealed passwords, and who was migrated.
        .pragma("secure_delete", "ON")
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

/// Brings the schema up to date, and all rows of the ledger to what it asks of them.
pub(crate) async fn migrate(options: &SqliteConnectOptions) -> Result<(), Fault> {
    migrate_to(options, SCHEMA_VERSION).await?;
    let mut connection = options.connect().await?;
    check_mailboxes(&mut connection).await?;
    upgrade::write_checksums(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// An error where a mailbox of the ledger cannot be found by its name: it would be taken for a new one. The checksums of rows
/// say nothing about the index.
async fn check_mailboxes(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(mailbox)").fetch_all(connection).await?;
    match found.into_iter().find(|words| words != "ok") {
        Some(words) => Err(Fault::Damaged(words)),
        None => Ok(()),
    }
}

/// Brings the schema up to this step.
pub(crate) async fn migrate_to(options: &SqliteConnectOptions, last: i64) -> Result<(), Fault> {
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut connection = options.connect().await?;
    let steps = SCHEMA.into_iter().filter(|(version, ..)| *version <= last).map(step).collect();
    let migrator = Migrator::with_migrations(steps);
    // Not `run`: its future cannot be shown to be `Send`.
    migrator.run_direct(None, &mut connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => Fault::Version { found, known: SCHEMA_VERSION },
        other => Fault::Migrate(other),
    })?;
    connection.close().await?;
    Ok(())
}

/// The file's schema; `None` where its making was cut short. A newer one than we know is an error; in an older one the
/// ledger can be read, because later steps left its tables as they were.
pub(crate) async fn schema(connection: &mut SqliteConnection) -> Result<Option<i64>, Fault> {
    let tables: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('_sqlx_migrations', 'mailbox')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if tables < 2 {
        return Ok(None);
    }
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    if found <= SCHEMA_VERSION {
        Ok(Some(found))
    } else {
        Err(Fault::Version { found, known: SCHEMA_VERSION })
    }
}

/// Empties the write-ahead log, so that nothing that was removed lingers there; then closes. Who reads at the same time
/// is not waited for long: the log is emptied then by whoever closes the file last.
pub(crate) async fn close(mut connection: SqliteConnection) -> Result<(), Fault> {
    sqlx::query("PRAGMA busy_timeout = 200").execute(&mut connection).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
