//! Kinds of errors.

/// Kind of an error, for callers that handle some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The credentials are refused, or give no access to the mailbox.
    Authentication,
    /// The host does not exist, or nothing listens on the port.
    Unreachable,
    /// Connections to the address of the host are forbidden.
    Forbidden,
    /// The connection broke.
    Connection,
    /// The TLS handshake failed, or the certificate is not trusted.
    Tls,
    /// The server did not answer in time.
    Timeout,
    /// The server violated the protocol or a limit.
    Protocol,
    /// The server sent more than a command can have as an answer.
    Flood,
    /// The server asks for a delay.
    Throttled,
    /// The server asks for a delay, possibly for this command only.
    Busy,
    /// The server accepts no further connection. Open ones continue.
    TooManyConnections,
    /// The mailbox is full.
    Quota,
    /// The server refused the command.
    Refused,
    /// The mailbox does not exist.
    NotFound,
    /// The mailbox already exists.
    AlreadyExists,
    /// The message is larger than the server accepts.
    TooLarge,
    /// The server does not support the request.
    Unsupported,
}
