//! Scope and retry: the two properties of every error.

use std::{fmt, time::Duration};

/// Scope of an error. Ordered: a wider scope is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One message. The pass continues with the next one.
    Message,
    /// One folder. The pass continues with the other folders.
    Folder,
    /// The connection. A new one may continue where this one stopped.
    Session,
    /// The mailbox, on every connection. Other mailboxes of the server may work.
    Mailbox,
    /// The server, or possibly only the mailbox. No connection works now.
    Endpoint,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message => "message",
            Self::Folder => "folder",
            Self::Session => "session",
            Self::Mailbox => "mailbox",
            Self::Endpoint => "endpoint",
        })
    }
}

/// Time at which a retry makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Immediately, on a new connection if the scope is the session.
    Now,
    /// Later; after the server's own delay if it named one ("Suggested Backoff Time").
    After(Option<Duration>),
    /// Never, until the operator changes something.
    Never,
}
