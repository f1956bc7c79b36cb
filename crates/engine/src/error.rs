//! Errors: the kind of failure, its scope, and the time at which a retry makes sense.

use std::fmt;

use mailhaul_mail::{Retry, Scope};

/// Kinds of failure that the operator sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server refused the credentials, or they do not open the mailbox.
    Authentication,
    /// The server could not be reached, or the connection broke.
    Connection,
    /// No TLS connection is possible, or the certificate is not trusted.
    Tls,
    /// The server broke the protocol, or it is no mail server.
    Protocol,
    /// The server asks for a delay.
    Throttled,
    /// The server asks for a delay in words that may concern one message alone ("try again later", `[UNAVAILABLE]`).
    Busy,
    /// The server accepts no further connection. Open connections still work.
    TooManyConnections,
    /// UIDVALIDITY changed since the folder was read: its records must be aligned first.
    Renumbered,
    /// The target's quota is exhausted.
    Quota,
    /// The server refused one thing: a message, a folder, a command.
    Refused,
    /// The message is larger than the server accepts.
    TooLarge,
    /// The operator's options leave nothing to do.
    Options,
    /// The ledger could not be read or written.
    Ledger,
    /// The ledger's file is damaged.
    Damaged,
    /// The operator stopped the pass.
    Interrupted,
    /// A defect of this program: sums that do not close, a plan that contradicts itself.
    Internal,
}

impl ErrorKind {
    /// True if the server asks for a delay.
    pub fn asks_for_patience(self) -> bool {
        matches!(self, Self::Throttled | Self::Busy)
    }

    /// True if the ledger failed: no folder can be synchronized without it.
    pub(crate) fn is_of_ledger(self) -> bool {
        matches!(self, Self::Ledger | Self::Damaged)
    }
}

/// The end of the migration that a mailbox is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Source,
    Target,
}

/// An error of the engine or of one of its ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The part that the error concerns.
    pub scope: Scope,
    /// The time of the next attempt.
    pub retry: Retry,
    pub kind: ErrorKind,
    /// One sentence for the operator: the action, and the server's answer in its own words.
    pub message: String,
    /// The server that caused it; `None` if no server did, or it is unknown.
    pub side: Option<Side>,
}

impl Error {
    /// Creates an error with a sentence for the operator.
    pub fn new(scope: Scope, retry: Retry, kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self { scope, retry, kind, message: message.to_string(), side: None }
    }

    /// The ledger failed: the pass stops, because no effect may happen without its record.
    pub fn ledger(message: impl fmt::Display) -> Self {
        Self::new(Scope::Endpoint, Retry::Never, ErrorKind::Ledger, message)
    }

    /// The ledger is damaged: the pass stops, because it is unknown what was copied.
    pub fn damaged(message: impl fmt::Display) -> Self {
        Self::new(Scope::Endpoint, Retry::Never, ErrorKind::Damaged, message)
    }

    /// The operator stopped the pass.
    pub fn interrupted() -> Self {
        Self::new(Scope::Endpoint, Retry::Now, ErrorKind::Interrupted, "stopped by the operator")
    }

    /// The connection broke; a new one can continue.
    pub fn session(message: impl fmt::Display) -> Self {
        Self::new(Scope::Session, Retry::Now, ErrorKind::Connection, message)
    }

    /// Sets the side of the error.
    #[must_use]
    pub fn at(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Puts words in front of the sentence.
    #[must_use]
    pub fn context(mut self, words: impl fmt::Display) -> Self {
        self.message = format!("{words}: {}", self.message);
        self
    }
}
