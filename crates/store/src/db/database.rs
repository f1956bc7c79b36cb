//! The database file: its path, its options, its schema.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection as _, SqlSafeStr, SqliteConnection,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::db::{
    error::{Fault, StoreError},
    sql::{self, Connection},
    upgrade,
};

/// Time for which a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The steps of the schema. A released step is never edited; new steps are added.
const SCHEMA: [SchemaStep; 28] = [
    (1, "ledger", include_str!("../../migrations/0001_ledger.sql")),
    (2, "service", include_str!("../../migrations/0002_service.sql")),
    (3, "server profile", include_str!("../../migrations/0003_server_profile.sql")),
    (4, "limits", include_str!("../../migrations/0004_limits.sql")),
    (5, "repairs", include_str!("../../migrations/0005_repairs.sql")),
    (6, "access tokens", include_str!("../../migrations/0006_access_tokens.sql")),
    (7, "checks", include_str!("../../migrations/0007_checks.sql")),
    (8, "dates", include_str!("../../migrations/0008_dates.sql")),
    (9, "sign-in mechanism", include_str!("../../migrations/0009_auth_mechanism.sql")),
    (10, "waiting", include_str!("../../migrations/0010_waiting.sql")),
    (11, "lost", include_str!("../../migrations/0011_lost.sql")),
    (12, "checksums", include_str!("../../migrations/0012_checksums.sql")),
    (13, "waiting deletions", include_str!("../../migrations/0013_waiting_deletions.sql")),
    (14, "service checksums", include_str!("../../migrations/0014_service_checksums.sql")),
    (15, "waiting users", include_str!("../../migrations/0015_waiting_users.sql")),
    (16, "reach", include_str!("../../migrations/0016_reach.sql")),
    (17, "due", include_str!("../../migrations/0017_due.sql")),
    (18, "common words", include_str!("../../migrations/0018_common_words.sql")),
    (19, "relocation", include_str!("../../migrations/0019_relocation.sql")),
    (20, "archive", include_str!("../../migrations/0020_archive.sql")),
    (21, "windows", include_str!("../../migrations/0021_windows.sql")),
    (22, "authors", include_str!("../../migrations/0022_authors.sql")),
    (23, "console sessions", include_str!("../../migrations/0023_console_sessions.sql")),
    (24, "user changes", include_str!("../../migrations/0024_user_changes.sql")),
    (25, "throughput", include_str!("../../migrations/0025_throughput.sql")),
    (26, "cutover", include_str!("../../migrations/0026_cutover.sql")),
    (27, "arrivals", include_str!("../../migrations/0027_arrivals.sql")),
    (28, "outbox", include_str!("../../migrations/0028_outbox.sql")),
];

/// Newest step of the schema.
pub(crate) const SCHEMA_VERSION: i64 = SCHEMA[SCHEMA.len() - 1].0;

/// Returns the path of the database file in a data directory.
pub(crate) fn file_in(data: &Path) -> PathBuf {
    data.join("mailhaul.db")
}

/// Creates a directory and its parents with mode 0700. An existing one is left as it is.
pub(crate) fn make_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::file(path))
}

/// Refuses a directory that another user owns or may write to.
///
/// That user could replace our files.
pub(crate) fn check_directory(path: &Path) -> Result<(), StoreError> {
    let found = fs::metadata(path).map_err(StoreError::file(path))?;
    match refusal(found.uid(), found.mode(), nix::unistd::geteuid().as_raw(), path) {
        Some(words) => Err(StoreError::file(path)(io::Error::new(io::ErrorKind::PermissionDenied, words))),
        None => Ok(()),
    }
}

/// Returns the reason to refuse a directory with this owner and mode; `None` if it may be used.
fn refusal(owner: u32, mode: u32, user: u32, path: &Path) -> Option<String> {
    let (mode, path) = (mode & 0o7777, path.display());
    if owner != user {
        return Some(format!(
            "the data directory belongs to the user with UID {owner} (mode {mode:04o}), and this program runs as UID {user}; \
             run it as that user, or name another directory with --data"
        ));
    }
    if mode & 0o022 != 0 {
        return Some(format!(
            "other users may write to the data directory (mode {mode:04o}, owner UID {owner}); run `chmod 700 {path}`, or name \
             another directory with --data"
        ));
    }
    None
}

/// Creates the database file with mode 0600. `SQLite` gives its companion files the same mode.
pub(crate) fn make_file(data: &Path) -> Result<PathBuf, StoreError> {
    let path = file_in(data);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        // SQLite syncs the file, but not the directory entry of the new file.
        Ok(_) => {
            File::open(data).and_then(|directory| directory.sync_all()).map_err(StoreError::file(data))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(StoreError::file(&path)(error)),
    }
    Ok(path)
}

/// Options of the writer's connection. Statements are not logged: they would hide all other entries.
pub(crate) fn write_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        // Applies to new files only. `SQLite` changes an old file at its next `VACUUM`.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // Removed data is overwritten: sealed passwords, and names of migrated users.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Options of the readers' connections.
pub(crate) fn read_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Opens the file, brings its schema up to date, and gives checksums to older rows.
///
/// Returns the connection for the writer: each further connection costs syncs of the disk when it is closed.
pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Connection, Fault> {
    let mut connection = Connection::File(options.connect().await?);
    if !has_all_steps(&mut connection).await?
        && let Connection::File(file) = &mut connection
    {
        migrate_to(file, SCHEMA_VERSION).await?;
    }
    check_mailboxes(&mut connection).await?;
    upgrade::write_checksums(&mut connection).await?;
    Ok(connection)
}

/// True if the file has each step of the schema, with nothing to do.
async fn has_all_steps(connection: &mut Connection) -> Result<bool, Fault> {
    if schema(connection).await? != Some(SCHEMA_VERSION) {
        return Ok(false);
    }
    let sql = "SELECT count(*) FROM _sqlx_migrations WHERE success";
    let steps: i64 = sql::query_scalar(sql).fetch_one(connection).await?;
    Ok(usize::try_from(steps).is_ok_and(|steps| steps == SCHEMA.len()))
}

/// Returns an error if a mailbox of the ledger cannot be found by its name.
///
/// Such a mailbox would be taken for a new one. The checksums of rows do not cover the index.
async fn check_mailboxes(connection: &mut Connection) -> Result<(), Fault> {
    let found: Vec<String> =
        sql::query_scalar("PRAGMA integrity_check(mailbox)").fetch_all(connection).await?;
    match found.into_iter().find(|words| words != "ok") {
        Some(words) => Err(Fault::Damaged(words)),
        None => Ok(()),
    }
}

/// A step of a schema: its number, its name, its SQL.
pub(crate) type SchemaStep = (i64, &'static str, &'static str);

/// Brings the schema of a file up to this step.
pub(crate) async fn migrate_to(connection: &mut SqliteConnection, last: i64) -> Result<(), Fault> {
    run_steps(connection, SCHEMA.into_iter().filter(|(version, ..)| *version <= last)).await
}

/// Runs the steps that a database, a file or a server's, has not had yet.
pub(crate) async fn run_steps<C: Migrate>(
    connection: &mut C,
    steps: impl Iterator<Item = SchemaStep>,
) -> Result<(), Fault> {
    let step = |(version, name, sql): SchemaStep| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(steps.map(step).collect());
    // Not `run`: the compiler cannot prove that its future is `Send`.
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => Fault::Version { found, known: SCHEMA_VERSION },
        other => Fault::Migrate(other),
    })
}

/// Returns the file's schema; `None` if its creation was interrupted.
///
/// A schema newer than ours is an error. In an older one the ledger can be read, because later steps left its
/// tables as they were.
pub(crate) async fn schema(connection: &mut Connection) -> Result<Option<i64>, Fault> {
    let tables: i64 = sql::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('_sqlx_migrations', 'mailbox')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if tables < 2 {
        return Ok(None);
    }
    let sql = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
    let found: i64 = sql::query_scalar(sql).fetch_one(connection).await?;
    if found <= SCHEMA_VERSION {
        Ok(Some(found))
    } else {
        Err(Fault::Version { found, known: SCHEMA_VERSION })
    }
}

/// Empties the write-ahead log and closes the file.
///
/// Removed data does not stay in the log. A concurrent reader delays this only for a short time: then the
/// last process that closes the file empties the log.
pub(crate) async fn close(connection: Connection) -> Result<(), Fault> {
    let Connection::File(mut connection) = connection else { return Ok(()) };
    sqlx::query("PRAGMA busy_timeout = 200").execute(&mut connection).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_others_are_refused_with_owner_and_mode() {
        let words = |owner, mode, user| refusal(owner, mode, user, Path::new("/data"));
        for mode in [0o40700, 0o40750, 0o40755] {
            assert_eq!(words(1000, mode, 1000), None);
        }
        for user in [0, 1001] {
            let words = words(1000, 0o40700, user).unwrap();
            assert!(words.contains("UID 1000 (mode 0700)"), "{words}");
        }
        for (mode, shown) in [(0o40777, "0777"), (0o41777, "1777"), (0o40770, "0770")] {
            let words = words(1000, mode, 1000).unwrap();
            assert!(words.contains(&format!("(mode {shown}, owner UID 1000)")), "{words}");
            assert!(words.contains("`chmod 700 /data`"), "{words}");
        }
    }
}
