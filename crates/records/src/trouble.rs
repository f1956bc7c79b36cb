//! Reasons why a server told nothing.

/// Reason why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("no answer")]
    Silent,
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The server is asked to be a name server of the zone, and is none (a lame delegation).
    #[error("is no name server of the zone")]
    Lame,
    /// The server answers with an error.
    #[error("answers \"{0}\"")]
    Failed(String),
    #[error("the answer cannot be read")]
    Malformed,
    #[error("\"{0}\" is no domain name")]
    BadName(String),
    #[error("this machine has no resolver (/etc/resolv.conf)")]
    NoResolver,
}
