//! What can go wrong with the data directory and the file in it.

use std::{
    io,
    path::{Path, PathBuf},
};

use mailhaul_engine::Error;

/// The store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory, or a file in it, could not be made or opened.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// `SQLite` refused, or what it gave makes no sense.
    #[error("the ledger {} could not be {verb}: {reason}", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What was tried: "opened", "read", "written".
        verb: &'static str,
        /// `SQLite`'s words.
        reason: String,
    },
    /// Somebody else migrates this mailbox now.
    #[error("another mailhaul process runs {source_mailbox} -> {target_mailbox} with the data in {}", .data.display())]
    Locked {
        /// The mailbox that mail comes from.
        source_mailbox: String,
        /// The mailbox that it goes to.
        target_mailbox: String,
        /// The data directory that both use.
        data: PathBuf,
    },
    /// The store was closed, or opened for reading only.
    #[error("the ledger {} is {how}", .path.display())]
    Unavailable {
        /// The database file.
        path: PathBuf,
        /// "closed", "open for reading only".
        how: &'static str,
    },
}

impl StoreError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn database(path: &Path, verb: &'static str) -> impl Fn(Fault) -> Self {
        let path = path.to_owned();
        move |fault| Self::Database { path: path.clone(), verb, reason: fault.to_string() }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::ledger(error)
    }
}

/// What went wrong inside, before the file's name is put in front.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{}", words(.0))]
    Sql(#[from] sqlx::Error),
    #[error("{0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("a record of the folder \"{0}\", which was never opened")]
    NotOpened(String),
    #[error("it holds a {0} that cannot be")]
    Unreadable(&'static str),
    #[error("it changed each time it was read")]
    Unsteady,
    #[error("it was written by another version of mailhaul (schema {found}, this one knows {known})")]
    Version { found: i64, known: i64 },
}

/// `SQLite`'s own sentence with its extended result code, which tells one "disk I/O error" from another.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => match database.code() {
            Some(code) => format!("{} (SQLite code {code})", database.message()),
            None => database.message().to_owned(),
        },
        other => other.to_string(),
    }
}
