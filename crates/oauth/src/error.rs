//! Errors of token requests.

use std::time::Duration;

use mailhaul_mail::Retry;
use thiserror::Error;

/// Error of a token request. It never contains a token or another secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TokenError {
    /// The fact, and advice.
    pub message: String,
    /// Error code of the token server (RFC 6749, section 5.2), if any.
    pub code: Option<String>,
    pub retry: Retry,
    /// True if the error concerns every mailbox.
    pub concerns_all: bool,
}

/// Text of the innermost cause. An HTTP client's outer error says only that an error happened.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

impl TokenError {
    /// Error for every mailbox until the administrator changes something.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, retry: Retry::Never, concerns_all: true }
    }

    /// Error of an unreachable token server; a later request may succeed.
    pub fn unreachable(message: impl Into<String>, after: Option<Duration>) -> Self {
        Self { message: message.into(), code: None, retry: Retry::After(after), concerns_all: true }
    }
}
