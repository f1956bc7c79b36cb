//! How much an error spoils, and when to try again.

use std::{fmt, time::Duration};

/// How much is spoiled by an error. Ordered: a wider scope is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One message; the pass goes on with the next one.
    Message,
    /// One folder; the pass goes on with the other folders.
    Folder,
    /// The connection; a new one may go on where this one stopped.
    Session,
    /// The mailbox, over whatever connection; others on the same server may do better.
    Mailbox,
    /// The server, or nobody knows whether only the mailbox is: no connection will do better now.
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

/// When it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// At once, on a new connection where the scope says so.
    Now,
    /// Later; with the server's own figure where it gave one ("Suggested Backoff Time").
    After(Option<Duration>),
    /// Not without somebody's help.
    Never,
}
