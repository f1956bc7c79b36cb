//! What all ways to come by a token have in common.

use std::{future::Future, pin::Pin, time::Duration};

use mailhaul_mail::Secret;

use crate::error::TokenError;

/// No token is believed to live longer, whatever its server says: moments are counted with it.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_hours(24 * 365);

/// An access token (RFC 6750), as its source gave it.
#[derive(Clone, Debug)]
pub struct Token {
    /// What is shown to the mail server.
    pub secret: Secret,
    /// How long it is good for from the moment in which it was given; `None` where nobody says.
    pub life: Option<Duration>,
}

/// A question that is under way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Token, TokenError>> + Send + 'a>>;

/// A way to come by access tokens.
pub trait TokenSource: Send + Sync {
    /// Whether one token opens every mailbox, as an application's does.
    fn opens_every_mailbox(&self) -> bool;

    /// Asks for a token that opens this mailbox.
    ///
    /// # Errors
    /// With words for the administrator, and whether asking again may help.
    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a>;
}
