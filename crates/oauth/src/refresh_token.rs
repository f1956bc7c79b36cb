//! Refresh tokens (RFC 6749, section 6) of users who signed in once.

use std::{fmt, future::Future, pin::Pin};

use mailhaul_mail::Secret;
use tokio::sync::Mutex;

use crate::{
    client_secret::text,
    endpoint::{TokenEndpoint, scope},
    error::TokenError,
    source::{Asking, TokenSource},
    words::About,
};

/// Result of saving a refresh token; the error is in words.
pub type Keeping<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Storage of refresh tokens.
///
/// A server may replace a refresh token at each use (RFC 6749, section 6), and then refuses the old
/// one.
pub trait RefreshTokenKeeper: Send + Sync {
    /// Replaces the saved token `before` by `now`. The new one is durable when this returns.
    ///
    /// # Errors
    /// In words. No further token is requested until the new one is saved.
    fn keep<'a>(&'a self, before: &'a Secret, now: &'a Secret) -> Keeping<'a>;
}

/// Source of tokens for a user who signed in once.
pub struct RefreshToken {
    endpoint: TokenEndpoint,
    client_id: String,
    client_secret: Option<Secret>,
    scope: String,
    keeper: Box<dyn RefreshTokenKeeper>,
    held: Mutex<Held>,
}

struct Held {
    token: Secret,
    /// The token in the keeper, if it is another one.
    kept: Option<Secret>,
}

impl RefreshToken {
    /// `scope` is empty to request the same scope as before.
    pub fn new(
        endpoint: TokenEndpoint,
        client_id: String,
        client_secret: Option<Secret>,
        scope: String,
        token: Secret,
        keeper: impl RefreshTokenKeeper + 'static,
    ) -> Self {
        let held = Mutex::new(Held { token, kept: None });
        Self { endpoint, client_id, client_secret, scope, keeper: Box::new(keeper), held }
    }

    /// Saves the new token. The old one is dropped only after the new one is durable.
    async fn keep(&self, held: &mut Held) -> Result<(), TokenError> {
        let Some(kept) = &held.kept else { return Ok(()) };
        self.keeper.keep(kept, &held.token).await.map_err(|words| {
            let words = format!("the refresh token from {} cannot be saved: {words}", self.endpoint.host());
            TokenError::unreachable(words, None)
        })?;
        held.kept = None;
        Ok(())
    }
}

impl TokenSource for RefreshToken {
    /// The token opens the user's own mailbox and those shared with the user; only the mail server
    /// knows which.
    fn opens_every_mailbox(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let mut held = self.held.lock().await;
            self.keep(&mut held).await?;
            let mut parameters = vec![
                ("grant_type", "refresh_token"),
                ("client_id", &self.client_id),
                ("refresh_token", text(&held.token, "refresh token")?),
            ];
            if let Some(secret) = &self.client_secret {
                parameters.push(("client_secret", text(secret, "client secret")?));
            }
            parameters.extend(scope(&self.scope));
            let about = About { client_id: &self.client_id, scope: &self.scope, mailbox };
            let answer = self.endpoint.ask(&parameters, about).await?;
            if let Some(new) = answer.refresh_token.filter(|new| *new != held.token) {
                held.kept = Some(std::mem::replace(&mut held.token, new));
                self.keep(&mut held).await?;
            }
            Ok(answer.token)
        })
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
