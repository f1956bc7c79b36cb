//! Google service account that acts for each user: domain-wide delegation, with an assertion as the
//! grant (RFC 7523, section 2.1).

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use jsonwebtoken::{Algorithm, Header};
use mailhaul_mail::Secret;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    assertion::{self, Times},
    clock::ServerClock,
    endpoint::{TokenEndpoint, TokenUrl},
    error::TokenError,
    private_key::PrivateKey,
    source::{Asking, TokenSource},
    words::About,
};

/// Grant type (RFC 7523, section 2.1).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Key file of a service account, as Google issues it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountKey {
    pub email: String,
    /// Client id of the account, for which the delegation is entered.
    pub client_id: String,
    pub key_id: String,
    /// In PEM.
    pub private_key: Secret,
    pub token_url: String,
}

impl ServiceAccountKey {
    /// Parses the key file.
    ///
    /// # Errors
    /// The file is of another kind, incomplete or unreadable; in words.
    pub fn parse(file: &[u8]) -> Result<Self, String> {
        const MAKE: &str =
            "make one at console.cloud.google.com, IAM & Admin, Service Accounts, Keys, Add key, JSON";
        // The file is never shown: it contains the key.
        let value: Value = serde_json::from_slice(file).map_err(|error| {
            format!(
                "the file is not the key file of a service account: invalid JSON in line {} ({MAKE})",
                error.line()
            )
        })?;
        match value["type"].as_str() {
            Some("service_account") => {}
            Some("authorized_user") => {
                return Err(format!(
                    "the file is the sign-in of a user, not the key of a service account ({MAKE})"
                ));
            }
            _ if value["installed"].is_object() || value["web"].is_object() => {
                return Err(format!(
                    "the file is the client of an application, not the key of a service account ({MAKE})"
                ));
            }
            _ => {
                return Err(format!(
                    "the file is not the key file of a service account: its \"type\" is another ({MAKE})"
                ));
            }
        }
        let field = |name: &str| match value[name].as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(format!("the key file lacks \"{name}\" ({MAKE})")),
        };
        let token_url = field("token_uri")?;
        TokenUrl::parse(&token_url).map_err(|words| format!("\"token_uri\" of the key file: {words}"))?;
        let private_key = Secret::new(field("private_key")?);
        PrivateKey::read(private_key.expose())
            .map_err(|words| format!("\"private_key\" of the key file: {words}"))?;
        Ok(Self {
            email: field("client_email")?,
            client_id: field("client_id")?,
            key_id: field("private_key_id")?,
            private_key,
            token_url,
        })
    }
}

/// Token source for domains that delegated to the account.
pub struct ServiceAccount {
    endpoint: TokenEndpoint,
    email: String,
    client_id: String,
    scope: String,
    header: Header,
    key: PrivateKey,
    clock: ServerClock,
    /// True after a token for any mailbox: the delegation exists.
    is_delegated: AtomicBool,
}

impl ServiceAccount {
    /// Builds the source. The key is in PEM; `client_id` serves only for messages.
    ///
    /// # Errors
    /// The key cannot be read; in words.
    pub fn new(
        endpoint: TokenEndpoint,
        email: String,
        client_id: String,
        key_id: String,
        private_key: &Secret,
        scope: String,
    ) -> Result<Self, String> {
        let key = PrivateKey::read(private_key.expose())?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(key_id);
        let (clock, is_delegated) = (ServerClock::default(), AtomicBool::new(false));
        Ok(Self { endpoint, email, client_id, scope, header, key, clock, is_delegated })
    }

    fn assertion(&self, mailbox: &str, times: Times) -> Result<Zeroizing<String>, TokenError> {
        let claims = json!({
            "iss": self.email,
            "sub": mailbox,
            "scope": self.scope,
            "aud": self.endpoint.url().as_str(),
            "iat": times.begin,
            "exp": times.end,
        });
        assertion::sign(&self.header, &claims, &self.key.signing)
    }

    /// Limits an error to one mailbox's domain, if other mailboxes got tokens by the delegation.
    fn of_one_domain(&self, error: TokenError) -> TokenError {
        let is_missing = error.code.as_deref() == Some("unauthorized_client");
        let concerns_all = error.concerns_all && !(is_missing && self.is_delegated.load(Ordering::Relaxed));
        TokenError { concerns_all, ..error }
    }
}

impl TokenSource for ServiceAccount {
    fn opens_every_mailbox(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let parameters = [("grant_type", GRANT_TYPE)];
            let about = About { client_id: &self.client_id, scope: &self.scope, mailbox };
            let sign = |times| self.assertion(mailbox, times);
            let asked = assertion::ask(&self.endpoint, &self.clock, &parameters, "assertion", about, sign);
            let answer = asked.await.map_err(|error| self.of_one_domain(error))?;
            self.is_delegated.store(true, Ordering::Relaxed);
            Ok(answer.token)
        })
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("endpoint", &self.endpoint)
            .field("email", &self.email)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
