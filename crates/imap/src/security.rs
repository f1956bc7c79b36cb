//! Protection of a connection.

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first octet; usually port 993.
    Implicit,
    /// STARTTLS before anything else, required; usually port 143.
    StartTls,
    /// Nothing: whoever listens reads passwords and mail.
    Clear,
}
