//! Sign-in on another device (RFC 8628): this machine shows a code, and waits.

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

/// Grant type (RFC 8628, section 3.4).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Increase of the poll interval when the server asks for it (section 3.5).
const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);
/// Minimum and maximum poll interval.
const POLL_INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));
/// Maximum time that a code is waited for.
const MAX_CODE_LIFETIME: Duration = Duration::from_hours(24);

#[derive(Clone, Debug)]
pub struct DeviceLogin {
    pub endpoint: TokenEndpoint,
    pub device_url: TokenUrl,
    pub client_id: String,
    /// Secret of the application, if the server needs one.
    pub client_secret: Option<Secret>,
    pub scope: String,
}

/// Code that the user types.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// Address to open in a browser.
    pub address: String,
    /// Code to type there.
    pub user_code: String,
    pub life: Duration,
    secret: Secret,
    interval: Duration,
}

#[derive(Clone, Debug)]
pub struct SignedIn {
    pub token: Token,
    /// Refresh token for further access tokens.
    pub refresh_token: Secret,
}

impl DeviceLogin {
    /// Requests a code.
    ///
    /// # Errors
    /// The server refused or could not be reached.
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
                TokenError::refused(format!("{} sent an answer without a code", self.device_url.host()))
            })?;
        Ok(DeviceCode {
            address: shown(told.verification_uri().as_str()),
            user_code: shown(told.user_code().secret()),
            life: told.expires_in().min(MAX_CODE_LIFETIME),
            secret: Secret::new(told.device_code().secret().as_bytes()),
            interval: told.interval().clamp(POLL_INTERVALS.0, POLL_INTERVALS.1),
        })
    }

    /// Waits until the user has typed the code, or declined.
    ///
    /// # Errors
    /// Declined, too late, or refused by the server; in words.
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
                (Some("slow_down"), _) => pause = (pause + SLOW_DOWN_STEP).min(POLL_INTERVALS.1),
                (Some("expired_token"), _) => return Err(TokenError { message: too_late(), ..error }),
                (Some("access_denied" | "authorization_declined"), _) => {
                    let message = format!("the sign-in at {} was declined", code.address);
                    return Err(TokenError { message, ..error });
                }
                // A server that is unreachable may return before the code expires (section 3.5).
                (_, Retry::After(wait)) => {
                    pause = (pause * 2).max(wait.unwrap_or_default()).min(POLL_INTERVALS.1);
                }
                (_, Retry::Now) => {}
                (_, Retry::Never) => return Err(error),
            }
        }
    }

    fn signed_in(&self, answer: Answer) -> Result<SignedIn, TokenError> {
        let refresh_token = answer.refresh_token.ok_or_else(|| {
            let host = self.endpoint.host();
            TokenError::refused(format!(
                "{host} returned no refresh token, so access would end soon; request one with the scope \
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
    "the code expired before the sign-in; start again".to_owned()
}

/// Text that is safe to display: control characters replaced.
fn shown(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(500).collect()
}
