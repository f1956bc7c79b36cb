//! Errors of the data directory and of the database in it.

use std::{
    io,
    path::{Path, PathBuf},
};

use mailhaul_engine::Error;
use mailhaul_migration::{Guid, IllegalEvent};
use sqlx::{error::DatabaseError, migrate::MigrateError, postgres::PgDatabaseError};

/// An error while the store was opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory, or a file in it, could not be created or opened.
    #[error("{}: {source}", .path.display())]
    File {
        path: PathBuf,
        /// The operating system's message.
        source: io::Error,
    },
    /// The database refused a statement, or returned an impossible value.
    #[error("{database} could not be {verb}: {reason}")]
    Database {
        /// The database: `the ledger /data/mailhaul.db`, `the database mailhaul at db.example:5432`.
        database: String,
        /// The failed action: "opened", "read", "written".
        verb: &'static str,
        /// The database's message.
        reason: String,
    },
    /// The data is not as it was written: bits of it changed, or parts of it are missing.
    #[error("{database} is damaged{place}: {reason}")]
    Damaged {
        /// The database, as in [`StoreError::Database`].
        database: String,
        /// The mailbox and, if known, the folder: ` at a -> b, folder "INBOX"`. Empty if unknown.
        place: String,
        /// The value that does not fit, or the database's message.
        reason: String,
    },
    /// Another process migrates this mailbox now.
    #[error("another mailhaul process runs {source_mailbox} -> {target_mailbox} with the data in {data}")]
    Locked {
        source_mailbox: String,
        target_mailbox: String,
        /// The data directory or the database that both use.
        data: String,
    },
    /// The store was closed, or opened for reading only.
    #[error("{database} is {how}")]
    Unavailable {
        /// The database, as in [`StoreError::Database`].
        database: String,
        /// "closed", "open for reading only".
        how: &'static str,
    },
    /// No object has this name, address or GUID.
    #[error("there is no {what} \"{identity}\"")]
    NotFound {
        /// The kind of object: "endpoint", "batch", "user", "token".
        what: &'static str,
        /// The name, address or GUID that the caller gave.
        identity: String,
    },
    /// Another object has the name.
    #[error("the {what} \"{name}\" exists already")]
    NameTaken {
        /// The kind of object: "endpoint", "batch", "token".
        what: &'static str,
        name: String,
    },
    /// Each row of an import is left out, so that no user would be added or changed.
    #[error("no user is left: {}", .left_out.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(". "))]
    NoUsersLeft {
        /// The rows, with the reason.
        left_out: Vec<String>,
    },
    /// Another caller changed the endpoint meanwhile.
    #[error("the endpoint \"{endpoint}\" was changed by another caller meanwhile; nothing was changed now")]
    Changed {
        /// The endpoint's name.
        endpoint: String,
    },
    /// The endpoint cannot be removed while it is used.
    #[error("the endpoint \"{endpoint}\" is used by {}", .by.join(", "))]
    InUse {
        /// The endpoint's name.
        endpoint: String,
        /// Its users: `batch "Sales"`, `the configuration`.
        by: Vec<String>,
    },
    /// The user has a status in which this event is not possible.
    #[error("{user}: {reason}")]
    Illegal {
        /// The user's e-mail address.
        user: String,
        /// The status and the event.
        reason: IllegalEvent,
    },
    /// The worker's lease on a user has ended: its later writes are refused.
    #[error("{user}: {how}")]
    LeaseLost {
        /// The user's e-mail address, or the GUID of a removed user.
        user: String,
        /// The reason.
        how: &'static str,
    },
    /// Another process runs the service with this data directory.
    #[error("another mailhaul serve ({holder}) runs with the data in {data}")]
    ServiceRuns {
        /// The data directory or the database.
        data: String,
        /// "process 123", "process 123 on mail1".
        holder: String,
    },
    /// This node did not renew its lease in time, and other nodes continue with its mailboxes.
    #[error("this node was without {database} for too long: other nodes continue with its mailboxes")]
    NodeLost {
        /// The database.
        database: String,
    },
    /// The data went to another database: two ledgers must not go on.
    #[error("the data in {data} was moved to {to}: continue there")]
    Moved {
        /// The data directory or the database.
        data: String,
        /// The place that has the data now.
        to: String,
    },
    /// A copy into the database is unfinished.
    #[error(
        "the data in {data} is an unfinished copy of {from}: run `mailhaul database copy` again, which continues it"
    )]
    Filling {
        /// The data directory or the database.
        data: String,
        /// The source of the copy.
        from: String,
    },
    /// A copy needs an empty database.
    #[error(
        "{data} is not empty: it has rows of the table {table}. Copy into a new directory or an empty database"
    )]
    NotEmpty {
        /// The data directory or the database.
        data: String,
        table: String,
    },
    /// There is no data to copy or to check.
    #[error("there is no data in {data}")]
    NoData {
        /// The data directory or the database.
        data: String,
    },
    /// A pass without the service fills a mailbox.
    #[error("a mailhaul process migrates a mailbox with the data in {data}; wait for its end")]
    MailboxRuns {
        /// The data directory.
        data: String,
    },
    /// Rows of the source have no place in the target. Nothing was copied.
    #[error("{target} cannot hold these rows; nothing was copied:\n  {}", .rows.join("\n  "))]
    CannotHold { target: String, rows: Vec<String> },
    /// Source and target of a copy are the same database.
    #[error("{data} cannot be copied to itself")]
    SameDatabase {
        /// The data directory or the database.
        data: String,
    },
    /// A table of a copy is not what the source has.
    #[error(
        "the table {table} of {target} has {copied}, and that of {from} has {expected}: the source was changed after an earlier \
         run began the copy. Empty {target}, and copy again; {from} is still in use"
    )]
    Differs {
        table: String,
        from: String,
        target: String,
        /// The copied rows: number and digest.
        copied: String,
        /// The rows of the source.
        expected: String,
    },
    /// A password was read or written before [`Secrets::unlock`](crate::Secrets::unlock).
    #[error("the vault is locked: no master key was given")]
    VaultLocked,
    /// Another process has changed the master key since this one read it.
    #[error("the master key was changed by another process: this one must be started again")]
    KeyChanged,
    /// A node could not open the passwords after the change of the master key. Nothing was changed.
    #[error("the new master key is missing on {}: nothing was changed", .nodes.join(", "))]
    KeyLacking {
        /// Names of the nodes.
        nodes: Vec<String>,
    },
    /// Nodes run whose program could not work with the schema of this one. Nothing was changed.
    #[error(
        "an older mailhaul runs on {}, and could not work with the database after its change by this one: nothing was changed",
        .nodes.join(", ")
    )]
    OlderNodes {
        /// Names of the nodes.
        nodes: Vec<String>,
    },
    /// A database on a server has no master key of its own.
    #[error(
        "a database on a server needs a master key that you make: name its file in MAILHAUL_MASTER_KEY_FILE, \
         or give the service the credential \"master-key\""
    )]
    KeyNotNamed,
    /// The file of the master key cannot be used.
    #[error("the master key {} {how}", .path.display())]
    KeyFile {
        path: PathBuf,
        /// The fault of the file.
        how: String,
    },
    /// Passwords are sealed, and their key is missing. Nothing was changed.
    #[error("the master key {} is missing, and passwords are sealed with it: put the file back", .path.display())]
    KeyMissing {
        /// The missing file.
        path: PathBuf,
    },
    /// Passwords are sealed with another key. Nothing was changed.
    #[error("the master key {} is not the one that the passwords are sealed with", .path.display())]
    KeyWrong {
        /// The file with the wrong key.
        path: PathBuf,
    },
    /// One sealed password cannot be opened.
    #[error("the sealed {name} of {owner} {how}")]
    Sealed {
        /// The user's or endpoint's GUID.
        owner: Guid,
        /// The name of the secret.
        name: &'static str,
        /// The reason.
        how: &'static str,
    },
}

impl StoreError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Returns the conversion of faults of the database with this description.
    pub(crate) fn database(words: &str, verb: &'static str) -> impl Fn(Fault) -> Self + use<> {
        let database = words.to_owned();
        move |fault| match fault {
            Fault::Final(error) => *error,
            Fault::Sql(sqlx::Error::PoolClosed) => {
                Self::Unavailable { database: database.clone(), how: "closed" }
            }
            fault if fault.is_damage() => {
                Self::Damaged { database: database.clone(), place: String::new(), reason: fault.to_string() }
            }
            fault => Self::Database { database: database.clone(), verb, reason: fault.to_string() },
        }
    }

    pub(crate) fn not_found(what: &'static str, identity: impl std::fmt::Display) -> Self {
        Self::NotFound { what, identity: identity.to_string() }
    }

    /// Adds the place to an error about damage that names none.
    #[must_use]
    pub(crate) fn at(mut self, found: impl FnOnce() -> String) -> Self {
        if let Self::Damaged { place, .. } = &mut self
            && place.is_empty()
        {
            *place = found();
        }
        self
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } => Self::damaged(error),
            other => Self::ledger(other),
        }
    }
}

/// An error before it has the path of the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{}", words(.0))]
    Sql(#[from] sqlx::Error),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("a record of the folder \"{0}\", which was never opened")]
    NotOpened(String),
    #[error("it contains an invalid {0}")]
    Unreadable(&'static str),
    #[error("{0}")]
    Damaged(String),
    #[error("it changed each time it was read")]
    Unsteady,
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("{0} cannot be written as JSON: {1}")]
    Json(&'static str, serde_json::Error),
    /// A finished error, which the caller gets as it is.
    #[error("{0}")]
    Final(Box<StoreError>),
    #[error("it was written by another version of mailhaul (schema {found}, this one knows {known})")]
    Version { found: i64, known: i64 },
    #[error(
        "a newer mailhaul changed it (schema {found}): it needs a mailhaul that knows schema {oldest}, this one knows {known}"
    )]
    Narrowed { found: i64, oldest: i64, known: i64 },
}

/// `SQLite`'s codes for a damaged file, and for a file of another format.
const DAMAGE_CODES: [i64; 2] = [11, 26];
/// `PostgreSQL`'s codes for a damaged table, a damaged index, and a sum of checksums that overflows.
const SERVER_DAMAGE_CODES: [&str; 3] = ["XX001", "XX002", "22003"];

impl Fault {
    /// True if the file is not as it was written.
    fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Unreadable(_) => true,
            Self::Sql(error) | Self::Migrate(MigrateError::Execute(error)) => is_damage(error),
            _ => false,
        }
    }
}

fn is_damage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) if is_of_server(error.as_ref()) => {
            error.code().is_some_and(|code| SERVER_DAMAGE_CODES.contains(&code.as_ref()))
        }
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i64>().ok());
            // The lower eight bits are the primary code.
            let is_code = code.is_some_and(|code| DAMAGE_CODES.contains(&(code & 0xff)));
            // Checksums have 32 bits: sums of undamaged ones do not overflow.
            is_code || error.message() == "integer overflow"
        }
        // A column has another type than was written, or a row that was written a moment ago is not found.
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => true,
        _ => false,
    }
}

fn is_of_server(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Final(Box::new(error))
    }
}

/// Returns the database's message with its code.
///
/// `SQLite`'s extended code distinguishes the causes of "disk I/O error".
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => match database.code() {
            Some(code) if is_of_server(database.as_ref()) => {
                format!("{} (PostgreSQL code {code})", database.message())
            }
            Some(code) => format!("{} (SQLite code {code})", database.message()),
            None => database.message().to_owned(),
        },
        other => other.to_string(),
    }
}
