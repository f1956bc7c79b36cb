//! What went wrong, how much it spoils, and what the operator can do.

use std::fmt;

use mailhaul_mail::{Retry, Scope};

/// The kinds of failure that the operator is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server refused the credentials, or the mailbox is not open to them.
    Authentication,
    /// The server could not be reached, or the connection broke.
    Connection,
    /// TLS could not be agreed on, or the certificate is not trusted.
    Tls,
    /// The server broke the protocol, or what answers is no mail server.
    Protocol,
    /// The server asks for patience.
    Throttled,
    /// The server asks for patience in words that may mean one message alone ("try again later", `[UNAVAILABLE]`).
    Busy,
    /// A server takes no further connection; those that are open go on.
    TooManyConnections,
    /// A folder was numbered anew since it was looked at: what is known of it must be brought in line first.
    Renumbered,
    /// The target has no room left.
    Quota,
    /// The server refused one thing: a message, a folder, a command.
    Refused,
    /// The message is larger than the server takes.
    TooLarge,
    /// The operator's options leave nothing to do.
    Options,
    /// The ledger could not be read or written.
    Ledger,
    /// The ledger is not what was written: its file is damaged.
    Damaged,
    /// The operator asked to stop.
    Interrupted,
    /// A broken promise of this program: sums that do not close, a plan that contradicts itself.
    Internal,
}

impl ErrorKind {
    /// True if the server asks to be left alone for a while.
    pub fn asks_for_patience(self) -> bool {
        matches!(self, Self::Throttled | Self::Busy)
    }

    /// True if the ledger failed: no folder can be carried without it.
    pub(crate) fn is_of_ledger(self) -> bool {
        matches!(self, Self::Ledger | Self::Damaged)
    }
}

/// Which end of the migration a mailbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Mail comes from here.
    Source,
    /// Mail goes here.
    Target,
}

/// An error of the engine or of one of its ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// How much is spoiled.
    pub scope: Scope,
    /// When to try again.
    pub retry: Retry,
    /// What sort of thing went wrong.
    pub kind: ErrorKind,
    /// One sentence for the operator: what was tried, what the server said, in its own words.
    pub message: String,
    /// Whose server it came from; `None` where it came from none, or nobody knows.
    pub side: Option<Side>,
}

impl Error {
    /// An error of `kind` with a sentence for the operator.
    pub fn new(scope: Scope, retry: Retry, kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self { scope, retry, kind, message: message.to_string(), side: None }
    }

    /// The ledger failed: the pass stops, because no effect may happen without its record.
    pub fn ledger(message: impl fmt::Display) -> Self {
        Self::new(Scope::Endpoint, Retry::Never, ErrorKind::Ledger, message)
    }

    /// The ledger is damaged: the pass stops, because it is not known what was copied.
    pub fn damaged(message: impl fmt::Display) -> Self {
        Self::new(Scope::Endpoint, Retry::Never, ErrorKind::Damaged, message)
    }

    /// The operator asked to stop.
    pub fn interrupted() -> Self {
        Self::new(Scope::Endpoint, Retry::Now, ErrorKind::Interrupted, "stopped by the operator")
    }

    /// The connection broke; a new one may go on.
    pub fn session(message: impl fmt::Display) -> Self {
        Self::new(Scope::Session, Retry::Now, ErrorKind::Connection, message)
    }

    /// The same error, from this side.
    #[must_use]
    pub fn at(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// The same error with words in front of its sentence.
    #[must_use]
    pub fn context(mut self, words: impl fmt::Display) -> Self {
        self.message = format!("{words}: {}", self.message);
        self
    }
}
