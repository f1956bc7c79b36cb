//! Signing in on another device (RFC 8628): this one shows a code, and waits.

use std::time::Duration;

use mailhaul_mail::{Retry, Secret};
use oauth2::StandardDeviceAuthorizationResponse;
use tokio::time::{Instant, sleep};

use crate::{
    client_secret::text,
    endpoint::{Answer, TokenEndpoint, TokenUrl},
    error::TokenError,
    source::Token,
    words::About,
};

/// What the grant is (RFC 8628, section 3.4).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// So much longer the pauses get where the server asks for that (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// No pause is shorter or longer.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));
/// No code is waited for longer.
const LONGEST: Duration = Duration::from_hours(24);

/// How somebody signs in.
#[derive(Clone, Debug)]
pub struct DeviceLogin {
    /// Who gives tokens.
    pub endpoint: TokenEndpoint,
    /// Who gives codes.
    pub device_url: TokenUrl,
    /// The application.
    pub client_id: String,
    /// Its secret, where the server wants one.
    pub client_secret: Option<Secret>,
    /// For what the tokens are to be good.
    pub scope: String,
}

/// A code that somebody has to type.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// What is to be opened in a browser.
    pub address: String,
    /// What is to be typed there.
    pub user_code: String,
    /// How long that may take.
    pub life: Duration,
    secret: Secret,
    interval: Duration,
}

/// What it came to.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// An access token.
    pub token: Token,
    /// What further ones are asked for with.
    pub refresh_token: Secret,
}

impl DeviceLogin {
    /// Asks for a code.
    ///
    /// # Errors
    /// What the server said, or why it could not be asked.
    pub async fn start(&self) -> Result<DeviceCode, TokenError> {
        let mut parameters = vec![("client_id", self.client_id.as_str())];
        if !self.scope.is_empty() {
            parameters.push(("scope", &self.scope));
        }
        let reply = self.endpoint.post(&self.device_url, &parameters).await?;
        if !reply.status.is_success() {
            return Err(self.endpoint.refusal(&reply, &parameters, self.about()).into());
        }
        let told: StandardDeviceAuthorizationResponse =
            serde_json::from_slice(&reply.body).map_err(|_| {
                TokenError::refused(format!(
                    "{} answers with something that is no code",
                    self.device_url.host()
                ))
            })?;
        Ok(DeviceCode {
            address: shown(told.verification_uri().as_str()),
            user_code: shown(told.user_code().secret()),
            life: told.expires_in().min(LONGEST),
            secret: Secret::new(told.device_code().secret().as_bytes()),
            interval: told.interval().clamp(PAUSES.0, PAUSES.1),
        })
    }

    /// Waits until somebody has typed the code, or has refused to.
    ///
    /// # Errors
    /// In words: refused, too late, or what the server said.
    pub async fn wait(&self, code: &DeviceCode) -> Result<SignedIn, TokenError> {
        let mut parameters = vec![
            ("grant_type", GRANT_TYPE),
            ("client_id", &self.client_id),
            ("device_code", text(&code.secret, "device code")?),
        ];
        if let Some(secret) = &self.client_secret {
            parameters.push(("client_secret", text(secret, "client secret")?));
        }
        let (end, mut pause) = (Instant::now() + code.life, code.interval);
        loop {
            if Instant::now() + pause >= end {
                return Err(TokenError::refused(too_late()));
            }
            sleep(pause).await;
            let error = match self.endpoint.ask(&parameters, self.about()).await {
                Ok(answer) => return self.signed_in(answer),
                Err(refusal) => refusal.error,
            };
            match (error.code.as_deref(), error.retry) {
                (Some("authorization_pending"), _) => {}
                (Some("slow_down"), _) => pause = (pause + SLOWER).min(PAUSES.1),
                (Some("expired_token"), _) => return Err(TokenError { message: too_late(), ..error }),
                (Some("access_denied" | "authorization_declined"), _) => {
                    let message = format!("whoever opened {} has refused to sign in", code.address);
                    return Err(TokenError { message, ..error });
                }
                // A server that is away may come back before the code has ended (section 3.5).
                (_, Retry::After(wait)) => pause = (pause * 2).max(wait.unwrap_or_default()).min(PAUSES.1),
                (_, Retry::Now) => {}
                (_, Retry::Never) => return Err(error),
            }
        }
    }

    fn signed_in(&self, answer: Answer) -> Result<SignedIn, TokenError> {
        let refresh_token = answer.refresh_token.ok_or_else(|| {
            let host = self.endpoint.host();
            TokenError::refused(format!(
                "{host} gives no refresh token, without which mail could be read only for a while: ask for one with the scope \
                 offline_access (now \"{}\")",
                self.scope
            ))
        })?;
        Ok(SignedIn { token: answer.token, refresh_token })
    }

    fn about(&self) -> About<'_> {
        About { client_id: &self.client_id, scope: &self.scope, mailbox: "" }
    }
}

fn too_late() -> String {
    "nobody signed in before the code ended: begin anew".to_owned()
}

/// For people: nothing in it for a terminal to obey.
fn shown(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(500).collect()
}
