//! The kinds of failure.

/// The kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The credentials are refused, or the mailbox is not open to them.
    Authentication,
    /// There is no such host, or nothing listens there.
    Unreachable,
    /// No connection may go to the address of the host.
    Forbidden,
    /// The connection broke.
    Connection,
    /// TLS could not be agreed on, or the certificate is not to be trusted.
    Tls,
    /// The server was silent for too long.
    Timeout,
    /// The server broke the protocol or a limit.
    Protocol,
    /// The server sends more in answer to a command than can be an answer.
    Flood,
    /// The server asks for patience.
    Throttled,
    /// The server asks for patience in words that may be about this one command alone.
    Busy,
    /// The server takes no further connection of this user, or from here; those that are open go on.
    TooManyConnections,
    /// The mailbox is full.
    Quota,
    /// The server refused the command.
    Refused,
    /// The mailbox does not exist.
    NotFound,
    /// The mailbox exists already.
    AlreadyExists,
    /// The message is larger than the server takes.
    TooLarge,
    /// The server lacks what was asked for.
    Unsupported,
}
