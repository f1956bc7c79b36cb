//! Token endpoint of an authorization server (RFC 6749, section 3.2): sends one POST, and reads its
//! answer.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_mail::{Reach, Redactor, Secret};
use oauth2::{TokenResponse as _, basic::BasicErrorResponse, basic::BasicTokenResponse};
use reqwest::{Client, Response, StatusCode, header};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    error::{TokenError, innermost},
    http::{check_url, http_client},
    source::{MAX_LIFETIME, Token},
    words::{self, About},
};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Upper bound of a server's requested delay.
const MAX_DELAY: Duration = Duration::from_hours(24);
/// Form fields without secrets. All others are removed from messages.
const PUBLIC_FIELDS: [&str; 4] = ["grant_type", "client_id", "scope", "client_assertion_type"];

/// URL of a token endpoint: `https`, or `http` on this machine, where no network is involved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUrl(Url);

impl TokenUrl {
    /// Parses the URL.
    ///
    /// # Errors
    /// The text is not a URL, or would send secrets unencrypted; in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("it is not a URL ({error})"))?;
        let is_here = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err("it names no host".to_owned()),
        };
        // They would be sent, shown and logged with the URL.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "it must not contain a user name or password; they have their own parameters".to_owned()
            );
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_here => Ok(Self(url)),
            "http" => Err("it must begin with https://, because secrets are sent there".to_owned()),
            other => Err(format!("{other}: is not the URL of a token endpoint; it must begin with https://")),
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port, which decide who receives what is sent.
    pub fn authority(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Host, for display.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Token endpoint with its HTTP client.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    url: TokenUrl,
    client: Client,
}

/// Answer with a token.
pub(crate) struct Answer {
    pub(crate) token: Token,
    /// Refresh token for the next request (RFC 6749, section 6), if it is a new one.
    pub(crate) refresh_token: Option<Secret>,
}

/// Answer without a token.
pub(crate) struct Refusal {
    pub(crate) error: TokenError,
    /// Seconds by which the server's clock is ahead of this machine's, if the refusal states a
    /// time.
    pub(crate) ahead: Option<i64>,
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self { error, ahead: None }
    }
}

impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// HTTP answer. Its body may contain a token, so it is never shown.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    wait: Option<Duration>,
    ahead: Option<i64>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl TokenEndpoint {
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub fn new(url: TokenUrl) -> Result<Self, TokenError> {
        Self::reaching(url, Reach::Anywhere)
    }

    /// Builds a client whose connections go to allowed addresses only.
    ///
    /// # Errors
    /// Fails if the address is not allowed.
    pub fn reaching(url: TokenUrl, reach: Reach) -> Result<Self, TokenError> {
        check_url(&url.0, reach)
            .map_err(|words| TokenError::refused(format!("the token endpoint: {words}")))?;
        let client = http_client(reach, REQUEST_TIMEOUT).map_err(TokenError::refused)?;
        Ok(Self { url, client })
    }

    /// Host, for display.
    pub fn host(&self) -> &str {
        self.url.host()
    }

    /// URL, as assertions name it.
    pub(crate) fn url(&self) -> &TokenUrl {
        &self.url
    }

    /// Requests a token with these parameters, which include secrets.
    pub(crate) async fn ask(&self, parameters: &[(&str, &str)], about: About<'_>) -> Result<Answer, Refusal> {
        let reply = self.post(&self.url, parameters).await?;
        if reply.status.is_success() {
            Ok(self.answer(&reply)?)
        } else {
            Err(self.refusal(&reply, parameters, about))
        }
    }

    /// Sends a form to a URL of this server.
    pub(crate) async fn post(&self, url: &TokenUrl, form: &[(&str, &str)]) -> Result<Reply, TokenError> {
        let sent = self.client.post(url.0.clone()).header(header::ACCEPT, "application/json");
        let response = sent.form(form).send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let now = Timestamp::now();
        let time = date(&response, header::DATE);
        let ahead = time.map(|time| time.as_second() - now.as_second());
        let wait = retry_after(&response, time.unwrap_or(now));
        let body = self.body(response).await?;
        Ok(Reply { status, wait, ahead, body })
    }

    async fn body(&self, mut response: Response) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(TokenError::refused(format!("the answer of {} does not end", self.host())));
            }
        }
        Ok(body)
    }

    fn answer(&self, reply: &Reply) -> Result<Answer, TokenError> {
        let answer: BasicTokenResponse = serde_json::from_slice(&reply.body)
            .map_err(|_| TokenError::refused(format!("{} sent an answer without a token", self.host())))?;
        if answer.access_token().secret().is_empty() {
            return Err(TokenError::refused(format!("{} sent an empty token", self.host())));
        }
        let secret = |text: &String| Secret::new(text.as_bytes());
        Ok(Answer {
            token: Token {
                secret: secret(answer.access_token().secret()),
                life: answer.expires_in().map(|life| life.min(MAX_LIFETIME)),
            },
            refresh_token: answer.refresh_token().map(|it| secret(it.secret())),
        })
    }

    /// Interprets an answer without success.
    pub(crate) fn refusal(&self, reply: &Reply, sent: &[(&str, &str)], about: About<'_>) -> Refusal {
        let (host, status) = (self.host(), reply.status);
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let words = format!("{host} cannot issue a token now ({status})");
            return TokenError::unreachable(words, reply.wait).into();
        }
        let error = match serde_json::from_slice::<BasicErrorResponse>(&reply.body) {
            Ok(told) => {
                let secrets = secrets(sent);
                let code = words::clean(told.error().as_ref(), &secrets);
                let said = told.error_description().map_or("", String::as_str);
                words::refusal(host, &code, &words::clean(said, &secrets), about)
            }
            Err(_) => TokenError::refused(format!("{host} refused to issue a token ({status})")),
        };
        Refusal { error, ahead: reply.ahead }
    }

    fn unreachable(&self, error: &reqwest::Error) -> TokenError {
        let words = innermost(error);
        TokenError::unreachable(format!("{} cannot be reached for a token: {words}", self.host()), None)
    }
}

/// Secrets among the fields that were sent.
fn secrets(sent: &[(&str, &str)]) -> Redactor {
    let mut redactor = Redactor::default();
    for (_, value) in sent.iter().filter(|(name, _)| !PUBLIC_FIELDS.contains(name)) {
        redactor.add(&Secret::new(*value));
    }
    redactor
}

/// Scope parameter; `None` for the server's default.
pub(crate) fn scope(scope: &str) -> Option<(&str, &str)> {
    (!scope.is_empty()).then_some(("scope", scope))
}

/// Requested delay: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds = value.trim().parse().ok().or_else(|| {
        let until = date(response, header::RETRY_AFTER)?;
        Some(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0))
    });
    seconds.map(|seconds| Duration::from_secs(seconds).min(MAX_DELAY))
}

/// Date of a header (RFC 9110, section 5.6.7).
fn date(response: &Response, name: header::HeaderName) -> Option<Timestamp> {
    let value = response.headers().get(name)?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_nowhere() {
        for fine in [
            "https://login.microsoftonline.com/x/oauth2/v2.0/token",
            "http://127.0.0.1:1/t",
            "http://[::1]/t",
        ] {
            assert_eq!(TokenUrl::parse(fine).unwrap().as_str(), fine);
        }
        for told in ["https://ann:hunter2@login.example.org/token", "https://hunter2@login.example.org/"] {
            let words = TokenUrl::parse(told).unwrap_err();
            assert!(
                words.contains("must not contain a user name or password") && !words.contains("hunter2"),
                "{words}"
            );
        }
        for wrong in ["http://login.example.org/token", "ftp://localhost/", "token", "http://10.0.0.1/"] {
            assert!(TokenUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
