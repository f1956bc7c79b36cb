//! Client credentials with a secret (RFC 6749, section 4.4): the application itself opens every
//! mailbox.

use mailhaul_mail::Secret;

use crate::{
    endpoint::{TokenEndpoint, scope},
    error::TokenError,
    source::{Asking, TokenSource},
    words::About,
};

/// Token source: an application with a secret.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    pub endpoint: TokenEndpoint,
    pub client_id: String,
    pub secret: Secret,
    /// Scope of the token; empty for the server's default.
    pub scope: String,
}

impl TokenSource for ClientSecret {
    fn opens_every_mailbox(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let mut parameters = vec![
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("client_secret", text(&self.secret, "client secret")?),
            ];
            parameters.extend(scope(&self.scope));
            let about = About { client_id: &self.client_id, scope: &self.scope, mailbox };
            Ok(self.endpoint.ask(&parameters, about).await?.token)
        })
    }
}

/// Returns the secret as text for a form.
pub(crate) fn text<'a>(secret: &'a Secret, what: &str) -> Result<&'a str, TokenError> {
    std::str::from_utf8(secret.expose()).map_err(|_| TokenError::refused(format!("the {what} is no text")))
}
