//! Refresh tokens (RFC 6749, section 6): somebody signed in once.

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

/// Keeping a refresh token, or why that was not possible.
pub type Keeping<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Where refresh tokens are kept. Servers may replace one whenever it is used (RFC 6749, section 6), and take the old one no more.
pub trait RefreshTokenKeeper: Send + Sync {
    /// Puts a token into the place of the one that it replaces. Durable when this returns.
    ///
    /// # Errors
    /// In words. Until it is kept, no further token is asked for.
    fn keep<'a>(&'a self, before: &'a Secret, now: &'a Secret) -> Keeping<'a>;
}

/// Somebody who signed in once.
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
    /// The one in the keeper, where that is another.
    kept: Option<Secret>,
}

impl RefreshToken {
    /// The refresh token, and who keeps those that replace it. `scope` is empty where the same is wanted as before.
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

    /// The old token is forgotten when the new one is durable.
    async fn keep(&self, held: &mut Held) -> Result<(), TokenError> {
        let Some(kept) = &held.kept else { return Ok(()) };
        self.keeper.keep(kept, &held.token).await.map_err(|words| {
            let words =
                format!("the refresh token that {} gave cannot be kept: {words}", self.endpoint.host());
            TokenError::unreachable(words, None)
        })?;
        held.kept = None;
        Ok(())
    }
}

impl TokenSource for RefreshToken {
    /// The user's own, and those that are shared with the user: the mail server knows.
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
