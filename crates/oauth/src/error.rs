//! Why there is no token.

use std::time::Duration;

use mailhaul_mail::Retry;
use thiserror::Error;

/// Why there is no token. Never holds one, nor any other secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TokenError {
    /// What happened, and what can be done about it, in words.
    pub message: String,
    /// The error code of the token server (RFC 6749, section 5.2), where it gave one.
    pub code: Option<String>,
    /// Whether asking again may help.
    pub retry: Retry,
    /// Whether no mailbox will get a token, whichever it is.
    pub concerns_all: bool,
}

/// The words of the cause behind all others: what an HTTP client's errors say first is that there is an error.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

impl TokenError {
    /// Nobody gets a token before somebody helps.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, retry: Retry::Never, concerns_all: true }
    }

    /// The token server could not be asked; later it may.
    pub fn unreachable(message: impl Into<String>, after: Option<Duration>) -> Self {
        Self { message: message.into(), code: None, retry: Retry::After(after), concerns_all: true }
    }
}
