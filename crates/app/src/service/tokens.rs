//! The access tokens of endpoints: one source for each, shared by all who open its mailboxes in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{Endpoint, Grant, Guid, OAuth};
use mailhaul_oauth::{ClientSecret, FixedToken, TokenEndpoint, TokenUrl, Tokens};
use mailhaul_store::{SecretName, Store};

/// All endpoints' tokens. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct TokenDesk(Arc<Mutex<HashMap<Guid, Counter>>>);

struct Counter {
    /// As of when the endpoint's settings were read: with others, tokens come otherwise.
    modified: Timestamp,
    tokens: Tokens,
}

impl TokenDesk {
    /// The tokens of this endpoint, which has some.
    ///
    /// # Errors
    /// In words, where its settings do not do.
    pub(crate) async fn of(
        &self,
        store: &Store,
        endpoint: &Endpoint,
        oauth: &OAuth,
    ) -> Result<Tokens, String> {
        if let Some(counter) = self.desk().get(&endpoint.guid)
            && counter.modified == endpoint.modified
        {
            return Ok(counter.tokens.clone());
        }
        let secret = store.secret(endpoint.guid, SecretName::TokenSecret).await;
        let secret = secret.map_err(|error| error.to_string())?;
        let tokens = tokens(oauth, secret.as_ref())
            .map_err(|words| format!("the endpoint \"{}\": {words}", endpoint.name))?;
        let mut desk = self.desk();
        // Whoever was quicker has asked already.
        let counter = desk
            .entry(endpoint.guid)
            .or_insert_with(|| Counter { modified: endpoint.modified, tokens: tokens.clone() });
        if counter.modified != endpoint.modified {
            *counter = Counter { modified: endpoint.modified, tokens };
        }
        Ok(counter.tokens.clone())
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, HashMap<Guid, Counter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source of tokens as the settings say.
pub(crate) fn tokens(oauth: &OAuth, secret: Option<&Secret>) -> Result<Tokens, String> {
    let secret = || secret.cloned().ok_or_else(|| format!("it has no secret for {}", oauth.grant.name()));
    let endpoint = || {
        let url =
            TokenUrl::parse(&oauth.token_url).map_err(|words| format!("the token endpoint: {words}"))?;
        TokenEndpoint::new(url).map_err(|error| error.to_string())
    };
    Ok(match &oauth.grant {
        Grant::ClientSecret => Tokens::new(ClientSecret {
            endpoint: endpoint()?,
            client_id: oauth.client_id.clone(),
            secret: secret()?,
            scope: oauth.scope.clone(),
        }),
        Grant::Token => Tokens::new(FixedToken(secret()?)),
        other => return Err(format!("{} is not supported yet", other.name())),
    })
}
