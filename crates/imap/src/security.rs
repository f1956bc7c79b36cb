//! Protection of a connection.

/// Protection of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte; usually port 993.
    Implicit,
    /// STARTTLS before any other command, required; usually port 143.
    StartTls,
    /// No protection. Anyone on the network path can read passwords and mail.
    Clear,
}
