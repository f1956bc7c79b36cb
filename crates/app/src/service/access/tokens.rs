//! Access tokens of endpoints: one source for each, shared by all connections of this process.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::{Endpoint, Grant, Guid, OAuth};
use mailhaul_oauth::{
    ClientCertificate, ClientSecret, FixedToken, Keeping, RefreshToken, RefreshTokenKeeper, ServiceAccount,
    TokenCommand, TokenEndpoint, TokenUrl, Tokens,
};
use mailhaul_store::{SecretName, Store};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Mutex as AsyncMutex;

/// Token sources of all endpoints. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct TokenSources(Arc<Shared>);

#[derive(Default)]
struct Shared {
    open: Mutex<HashMap<Guid, OpenSource>>,
    /// Held while a source is opened.
    opening: AsyncMutex<()>,
}

struct OpenSource {
    /// Version of the endpoint's settings.
    modified: Timestamp,
    /// A change of these settings needs a new source.
    oauth: OAuth,
    reach: Reach,
    secret: Current,
    tokens: Tokens,
}

/// Secret in the vault. It is locked while a refresh token is replaced.
type Current = Arc<AsyncMutex<Option<Secret>>>;

impl TokenSources {
    /// Returns the tokens of this endpoint.
    ///
    /// # Errors
    /// If its settings are unusable; the text is for the administrator.
    pub(crate) async fn tokens(
        &self,
        store: &Store,
        endpoint: &Endpoint,
        oauth: &OAuth,
    ) -> Result<Tokens, String> {
        if let Some(tokens) = self.open_since(endpoint) {
            return Ok(tokens);
        }
        let _opening = self.0.opening.lock().await;
        if let Some(tokens) = self.open_since(endpoint) {
            return Ok(tokens);
        }
        let known = self
            .open_sources()
            .get(&endpoint.guid)
            .map(|source| ((source.oauth.clone(), source.reach), Arc::clone(&source.secret)));
        let held = match &known {
            Some((before, secret)) => Some((before, secret.lock().await)),
            None => None,
        };
        let secret = store.secrets().get(endpoint.guid, SecretName::TokenSecret).await;
        let secret = secret.map_err(|error| error.to_string())?;
        let is_same = held.is_some_and(|((before, reach), held)| {
            before == oauth && *reach == endpoint.reach && *held == secret
        });
        if is_same && let Some(source) = self.open_sources().get_mut(&endpoint.guid) {
            // Another setting was changed, for example a limit. A refresh token must have one source: its
            // replacement by one source would invalidate it for another.
            source.modified = endpoint.modified;
            return Ok(source.tokens.clone());
        }
        let current: Current = Arc::new(AsyncMutex::new(secret.clone()));
        let tokens = if matches!(oauth.grant, Grant::RefreshToken { .. }) {
            let current = Arc::clone(&current);
            let keeper = VaultKeeper { store: store.clone(), endpoint: endpoint.guid, current };
            refreshed(oauth, endpoint.reach, secret, keeper)
        } else {
            tokens(oauth, endpoint.reach, secret.as_ref())
        };
        let tokens = tokens.map_err(|words| format!("the endpoint \"{}\": {words}", endpoint.name))?;
        let source = OpenSource {
            modified: endpoint.modified,
            oauth: oauth.clone(),
            reach: endpoint.reach,
            secret: current,
            tokens: tokens.clone(),
        };
        self.open_sources().insert(endpoint.guid, source);
        Ok(tokens)
    }

    /// Returns the open tokens of these or newer settings. A caller with older settings gets the newer tokens.
    fn open_since(&self, endpoint: &Endpoint) -> Option<Tokens> {
        let sources = self.open_sources();
        let source = sources.get(&endpoint.guid).filter(|source| source.modified >= endpoint.modified)?;
        Some(source.tokens.clone())
    }

    fn open_sources(&self) -> MutexGuard<'_, HashMap<Guid, OpenSource>> {
        self.0.open.lock()
    }
}

/// Creates a token source from the settings.
///
/// # Errors
/// If the settings are unusable, and for a refresh token: its replacement would be lost here.
pub(crate) fn tokens(oauth: &OAuth, reach: Reach, secret: Option<&Secret>) -> Result<Tokens, String> {
    let secret = || secret.ok_or_else(|| format!("it has no secret for {}", oauth.grant.name()));
    let (client_id, scope) = (oauth.client_id.clone(), oauth.scope.clone());
    Ok(match &oauth.grant {
        Grant::ClientSecret => Tokens::new(ClientSecret {
            endpoint: token_endpoint(oauth, reach)?,
            client_id,
            secret: secret()?.clone(),
            scope,
        }),
        Grant::ClientCertificate { certificate } => {
            let endpoint = token_endpoint(oauth, reach)?;
            Tokens::new(ClientCertificate::new(endpoint, client_id, certificate, secret()?, scope)?)
        }
        Grant::ServiceAccount { email, key_id } => {
            let (email, key_id) = (email.clone(), key_id.clone());
            let endpoint = token_endpoint(oauth, reach)?;
            Tokens::new(ServiceAccount::new(endpoint, email, client_id, key_id, secret()?, scope)?)
        }
        Grant::RefreshToken { .. } => {
            return Err("a refresh token needs a saved endpoint, which stores its replacements".to_owned());
        }
        Grant::Command { command } => Tokens::new(TokenCommand::new(command.clone())?),
        Grant::Token => Tokens::new(FixedToken(secret()?.clone())),
    })
}

/// Creates the token source of an endpoint with a user's sign-in.
fn refreshed(
    oauth: &OAuth,
    reach: Reach,
    secret: Option<Secret>,
    keeper: VaultKeeper,
) -> Result<Tokens, String> {
    let token = secret.ok_or("no user has signed in yet; run `mailhaul login`")?;
    let (client_id, scope) = (oauth.client_id.clone(), oauth.scope.clone());
    let endpoint = token_endpoint(oauth, reach)?;
    Ok(Tokens::new(RefreshToken::new(endpoint, client_id, None, scope, token, keeper)))
}

fn token_endpoint(oauth: &OAuth, reach: Reach) -> Result<TokenEndpoint, String> {
    let url = TokenUrl::parse(&oauth.token_url).map_err(|words| format!("the token endpoint: {words}"))?;
    TokenEndpoint::reaching(url, reach).map_err(|error| error.to_string())
}

/// Stores refresh tokens of an endpoint in the vault.
struct VaultKeeper {
    store: Store,
    endpoint: Guid,
    current: Current,
}

impl RefreshTokenKeeper for VaultKeeper {
    fn keep<'a>(&'a self, before: &'a Secret, now: &'a Secret) -> Keeping<'a> {
        Box::pin(async move {
            let (name, token) = (SecretName::TokenSecret, now.clone());
            let mut current = self.current.lock().await;
            let kept = self.store.secrets().replace(self.endpoint, name, before.clone(), token).await;
            // If the vault has another token, a user has signed in again, and that token is valid.
            if kept.map_err(|error| error.to_string())? {
                *current = Some(now.clone());
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::Access;
    use mailhaul_store::{MasterKeySource, NewSecret};
    use tempfile::TempDir;

    use super::*;
    use crate::service::access::account;

    async fn store() -> (TempDir, Store) {
        let data = TempDir::new().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        store.secrets().unlock(MasterKeySource::DataDirectory).await.unwrap();
        (data, store)
    }

    fn endpoint(oauth: &OAuth) -> Endpoint {
        let access = Access::OAuth(oauth.clone());
        Endpoint { guid: Guid::from_u128(1), name: "Cloud".into(), access, ..account::tests::endpoint() }
    }

    fn oauth(grant: Grant) -> OAuth {
        let text = String::new;
        OAuth { grant, token_url: text(), device_url: text(), client_id: text(), scope: text(), tenant: None }
    }

    async fn shown(tokens: &Tokens) -> String {
        let token = tokens.token("ann@example.org").await.unwrap();
        String::from_utf8(token.secret.expose().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_source_lives_until_its_settings_or_its_secret_change() {
        let (_data, store) = store().await;
        let fixed = oauth(Grant::Token);
        let first = store.endpoints().insert(endpoint(&fixed), Some(Secret::new("t0"))).await.unwrap();
        let sources = TokenSources::default();
        let later = |seconds: i64| Endpoint {
            modified: Timestamp::from_second(first.modified.as_second() + seconds).unwrap(),
            ..first.clone()
        };
        assert_eq!(shown(&sources.tokens(&store, &first, &fixed).await.unwrap()).await, "t0");

        // A replaced refresh token is no new secret: the source stays, and has the token already.
        let current = Arc::clone(&sources.open_sources()[&first.guid].secret);
        let keeper = VaultKeeper { store: store.clone(), endpoint: first.guid, current };
        keeper.keep(&Secret::new("t0"), &Secret::new("t1")).await.unwrap();
        let kept = store.secrets().get(first.guid, SecretName::TokenSecret).await.unwrap();
        assert_eq!(kept, Some(Secret::new("t1")));
        assert_eq!(shown(&sources.tokens(&store, &later(1), &fixed).await.unwrap()).await, "t0");

        // A user signed in again. Replacements from the old source are not stored.
        let set = NewSecret::Set(Secret::new("t2"));
        store.endpoints().update(first.guid, set, |_| {}).await.unwrap();
        keeper.keep(&Secret::new("t1"), &Secret::new("t9")).await.unwrap();
        assert_eq!(shown(&sources.tokens(&store, &later(2), &fixed).await.unwrap()).await, "t2");
        // A caller with older settings gets the same source.
        assert_eq!(shown(&sources.tokens(&store, &first, &fixed).await.unwrap()).await, "t2");

        let command = oauth(Grant::Command { command: ["echo", "t3"].map(str::to_owned).to_vec() });
        assert_eq!(shown(&sources.tokens(&store, &later(3), &command).await.unwrap()).await, "t3");
        store.close().await;
    }

    #[test]
    fn unusable_settings_are_refused() {
        let with = |grant, url: &str| OAuth { token_url: url.to_owned(), ..oauth(grant) };
        let url = "https://id.example.org/token";
        let key = Secret::new("no key");
        let email = || ("mover@example.org".to_owned(), "77aa".to_owned());
        let account = |url| {
            let (email, key_id) = email();
            with(Grant::ServiceAccount { email, key_id }, url)
        };
        let certificate = with(Grant::ClientCertificate { certificate: String::new() }, url);
        for (oauth, secret, words) in [
            (with(Grant::ClientSecret, url), None, "it has no secret for ClientSecret"),
            (with(Grant::ClientSecret, "id.example.org"), Some(&key), "the token endpoint: it is not a URL"),
            (certificate, Some(&key), "the certificate is missing"),
            (account(url), Some(&key), "contains no private key"),
            (
                account("http://id.example.org/"),
                Some(&key),
                "the token endpoint: it must begin with https://",
            ),
            (with(Grant::RefreshToken { user: None }, url), Some(&key), "which stores its replacements"),
            (with(Grant::Command { command: Vec::new() }, ""), None, "the command has no program"),
            (with(Grant::Token, ""), None, "it has no secret for Token"),
        ] {
            let error = tokens(&oauth, Reach::Anywhere, secret).map(drop).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[tokio::test]
    async fn without_a_sign_in_the_error_names_the_command() {
        let (_data, store) = store().await;
        let refresh = OAuth {
            token_url: "https://id.example.org/token".to_owned(),
            ..oauth(Grant::RefreshToken { user: None })
        };
        let kept = store.endpoints().insert(endpoint(&refresh), None).await.unwrap();
        let error = TokenSources::default().tokens(&store, &kept, &refresh).await.map(drop).unwrap_err();
        assert_eq!(error, "the endpoint \"Cloud\": no user has signed in yet; run `mailhaul login`");
        store.close().await;
    }
}
