//! Client credentials with a secret (RFC 6749, section 4.4): the application itself opens every mailbox.

use mailhaul_mail::Secret;

use crate::{
    endpoint::TokenEndpoint,
    error::TokenError,
    source::{Asking, TokenSource},
};

/// An application that has a secret.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// Who is asked.
    pub endpoint: TokenEndpoint,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub secret: Secret,
    /// For what the token is to be good; empty where the server knows.
    pub scope: String,
}

impl TokenSource for ClientSecret {
    fn opens_every_mailbox(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, _mailbox: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let secret = std::str::from_utf8(self.secret.expose())
                .map_err(|_| TokenError::refused("the client secret is no text"))?;
            let mut parameters = vec![
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("client_secret", secret),
            ];
            if !self.scope.is_empty() {
                parameters.push(("scope", &self.scope));
            }
            self.endpoint.ask(&parameters).await
        })
    }
}
