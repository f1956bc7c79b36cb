//! What can go wrong with the data directory and the file in it.

use std::{
    io,
    path::{Path, PathBuf},
};

use mailhaul_engine::Error;
use mailhaul_migration::{Guid, IllegalEvent};
use sqlx::migrate::MigrateError;

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
    /// The file is not what was written: bits of it changed, or parts of it are missing.
    #[error("the ledger {} is damaged{place}: {reason}", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// The mailbox, and the folder where one is known: ` at a -> b, folder "INBOX"`. Empty where none is known.
        place: String,
        /// What does not fit, or `SQLite`'s words.
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
    /// Nothing has this name, address or GUID.
    #[error("there is no {what} \"{identity}\"")]
    NotFound {
        /// What was looked for: "endpoint", "batch", "user", "token".
        what: &'static str,
        /// What was given.
        identity: String,
    },
    /// Another one has the name.
    #[error("the {what} \"{name}\" exists already")]
    NameTaken {
        /// What was to be made or renamed: "endpoint", "batch", "token".
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Another caller changed it meanwhile.
    #[error("the endpoint \"{endpoint}\" was changed by another caller meanwhile; nothing was changed now")]
    Changed {
        /// The endpoint's name.
        endpoint: String,
    },
    /// It cannot be removed while it is used.
    #[error("the endpoint \"{endpoint}\" is used by {}", .by.join(", "))]
    InUse {
        /// The endpoint's name.
        endpoint: String,
        /// By what: `batch "Sales"`, `the configuration`.
        by: Vec<String>,
    },
    /// The user is in a state in which this cannot happen.
    #[error("{user}: {reason}")]
    Illegal {
        /// The user's e-mail address.
        user: String,
        /// The state and the event.
        reason: IllegalEvent,
    },
    /// The worker's claim on a user has ended: whatever it still does must not be written.
    #[error("{user}: {how}")]
    LeaseLost {
        /// The user's e-mail address, or GUID where it was removed.
        user: String,
        /// What ended it.
        how: &'static str,
    },
    /// The service runs already.
    #[error("another mailhaul serve ({holder}) runs with the data in {}", .data.display())]
    ServiceRuns {
        /// The data directory.
        data: PathBuf,
        /// "process 123".
        holder: String,
    },
    /// Passwords were asked for, or given, before [`Store::unlock`](crate::Store::unlock).
    #[error("the vault is locked: no master key was given")]
    VaultLocked,
    /// Another process has sealed everything anew since the key was read.
    #[error("the master key was changed by another process: this one must be started again")]
    KeyChanged,
    /// The file of the master key is not what it must be.
    #[error("the master key {} {how}", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        how: String,
    },
    /// Passwords are sealed, and their key is not there. Nothing was changed.
    #[error("the master key {} is missing, and passwords are sealed with it: put the file back", .path.display())]
    KeyMissing {
        /// The file.
        path: PathBuf,
    },
    /// Passwords are sealed with another key. Nothing was changed.
    #[error("the master key {} is not the one that the passwords are sealed with", .path.display())]
    KeyWrong {
        /// The file.
        path: PathBuf,
    },
    /// One sealed password cannot be opened.
    #[error("the sealed {name} of {owner} {how}")]
    Sealed {
        /// The user's or endpoint's GUID.
        owner: Guid,
        /// Which of its secrets.
        name: &'static str,
        /// Why not.
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
        move |fault| match fault {
            Fault::Told(error) => *error,
            fault if fault.is_damage() => {
                Self::Damaged { path: path.clone(), place: String::new(), reason: fault.to_string() }
            }
            fault => Self::Database { path: path.clone(), verb, reason: fault.to_string() },
        }
    }

    pub(crate) fn not_found(what: &'static str, identity: impl std::fmt::Display) -> Self {
        Self::NotFound { what, identity: identity.to_string() }
    }

    /// The same error with the place of the damage, where it is one and names none.
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

/// What went wrong inside, before the file's name is put in front.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{}", words(.0))]
    Sql(#[from] sqlx::Error),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("a record of the folder \"{0}\", which was never opened")]
    NotOpened(String),
    #[error("it holds a {0} that cannot be")]
    Unreadable(&'static str),
    #[error("{0}")]
    Damaged(String),
    #[error("it changed each time it was read")]
    Unsteady,
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("{0} cannot be written as JSON: {1}")]
    Json(&'static str, serde_json::Error),
    /// What the caller is told as it is.
    #[error("{0}")]
    Told(Box<StoreError>),
    #[error("it was written by another version of mailhaul (schema {found}, this one knows {known})")]
    Version { found: i64, known: i64 },
}

/// `SQLite`'s codes for a file that is damaged, or is none of its own.
const DAMAGE_CODES: [i64; 2] = [11, 26];

impl Fault {
    /// True if the file is not what was written.
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
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i64>().ok());
            // The lower eight bits are the primary code.
            let is_code = code.is_some_and(|code| DAMAGE_CODES.contains(&(code & 0xff)));
            // Checksums have 32 bits: sums of what was written do not overflow.
            is_code || error.message() == "integer overflow"
        }
        // A column has another type than was written.
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        _ => false,
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(Box::new(error))
    }
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
