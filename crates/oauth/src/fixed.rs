//! Token source: one given token.

use std::future::ready;

use mailhaul_mail::Secret;

use crate::source::{Asking, Token, TokenSource};

/// One token, for tests.
#[derive(Clone, Debug)]
pub struct FixedToken(pub Secret);

impl TokenSource for FixedToken {
    fn opens_every_mailbox(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, _mailbox: &'a str) -> Asking<'a> {
        Box::pin(ready(Ok(Token { secret: self.0.clone(), life: None })))
    }
}
