//! Token sources.

use std::{future::Future, pin::Pin, time::Duration};

use mailhaul_mail::Secret;

use crate::error::TokenError;

/// Upper bound of a token's lifetime, whatever the server states, so that times can be added
/// safely.
pub(crate) const MAX_LIFETIME: Duration = Duration::from_hours(24 * 365);

/// Access token (RFC 6750), as its source returned it.
#[derive(Clone, Debug)]
pub struct Token {
    /// Sent to the mail server.
    pub secret: Secret,
    /// Lifetime from the moment of issue; `None` if unknown.
    pub life: Option<Duration>,
}

/// Future of a token request.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Token, TokenError>> + Send + 'a>>;

pub trait TokenSource: Send + Sync {
    /// True if one token opens every mailbox, as an application's does.
    fn opens_every_mailbox(&self) -> bool;

    /// Requests a token that opens this mailbox.
    ///
    /// # Errors
    /// The error has a message for the administrator, and says if a retry may help.
    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a>;
}
