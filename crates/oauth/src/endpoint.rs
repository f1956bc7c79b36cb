//! The token endpoint of an authorization server (RFC 6749, section 3.2): one POST, and what its answer means.

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
    source::{LONGEST_LIFE, Token},
    words::{self, About},
};

/// So long one question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer of a token server is longer.
const LONGEST_ANSWER: usize = 1 << 20;
/// No server is left alone for longer, whatever it says.
const LONGEST_WAIT: Duration = Duration::from_hours(24);
/// What is sent that is no secret. Everything else is kept out of words.
const PUBLIC: [&str; 4] = ["grant_type", "client_id", "scope", "client_assertion_type"];

/// The address of a token endpoint: `https`, or `http` on this machine alone, where nobody listens between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUrl(Url);

impl TokenUrl {
    /// From text.
    ///
    /// # Errors
    /// With words, where it is no address or would carry secrets in clear.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("it is no address ({error})"))?;
        let is_here = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err("it names no host".to_owned()),
        };
        // It would be sent, shown and logged with the address.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "it must hold no user name and no password: they belong into parameters of their own"
                    .to_owned(),
            );
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_here => Ok(Self(url)),
            "http" => Err("it must begin with https://: secrets go there".to_owned()),
            other => Err(format!("{other}: is no address of a token endpoint; it must begin with https://")),
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port: what decides who gets what is sent.
    pub fn authority(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Who is asked, for people.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// A token endpoint that can be asked.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    url: TokenUrl,
    client: Client,
}

/// What it gave.
pub(crate) struct Answer {
    pub(crate) token: Token,
    /// What the next token is asked for with (RFC 6749, section 6), where it is another one.
    pub(crate) refresh_token: Option<Secret>,
}

/// Why it gave nothing.
pub(crate) struct Refusal {
    pub(crate) error: TokenError,
    /// By how many seconds its clock is ahead of this machine's, where it has refused and tells the time.
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

/// What came over HTTP. There may be a token in the body: it is never shown.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    wait: Option<Duration>,
    ahead: Option<i64>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl TokenEndpoint {
    /// At this address.
    ///
    /// # Errors
    /// Where TLS cannot be set up on this machine.
    pub fn new(url: TokenUrl) -> Result<Self, TokenError> {
        Self::reaching(url, Reach::Anywhere)
    }

    /// The same, at an address that these connections may go to.
    ///
    /// # Errors
    /// Also where it may not be reached.
    pub fn reaching(url: TokenUrl, reach: Reach) -> Result<Self, TokenError> {
        check_url(&url.0, reach)
            .map_err(|words| TokenError::refused(format!("the token endpoint: {words}")))?;
        let client = http_client(reach, PATIENCE).map_err(TokenError::refused)?;
        Ok(Self { url, client })
    }

    /// Who is asked, for people.
    pub fn host(&self) -> &str {
        self.url.host()
    }

    /// The address, as it is named in assertions.
    pub(crate) fn url(&self) -> &TokenUrl {
        &self.url
    }

    /// Asks for a token with these parameters, secrets among them.
    pub(crate) async fn ask(&self, parameters: &[(&str, &str)], about: About<'_>) -> Result<Answer, Refusal> {
        let reply = self.post(&self.url, parameters).await?;
        if reply.status.is_success() {
            Ok(self.answer(&reply)?)
        } else {
            Err(self.refusal(&reply, parameters, about))
        }
    }

    /// Sends a form to an address of this server.
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
            if body.len() > LONGEST_ANSWER {
                return Err(TokenError::refused(format!("{} sends no end of an answer", self.host())));
            }
        }
        Ok(body)
    }

    fn answer(&self, reply: &Reply) -> Result<Answer, TokenError> {
        let answer: BasicTokenResponse = serde_json::from_slice(&reply.body).map_err(|_| {
            TokenError::refused(format!("{} answers with something that is no token", self.host()))
        })?;
        if answer.access_token().secret().is_empty() {
            return Err(TokenError::refused(format!("{} answers with an empty token", self.host())));
        }
        let secret = |text: &String| Secret::new(text.as_bytes());
        Ok(Answer {
            token: Token {
                secret: secret(answer.access_token().secret()),
                life: answer.expires_in().map(|life| life.min(LONGEST_LIFE)),
            },
            refresh_token: answer.refresh_token().map(|it| secret(it.secret())),
        })
    }

    /// What an answer that is no success means.
    pub(crate) fn refusal(&self, reply: &Reply, sent: &[(&str, &str)], about: About<'_>) -> Refusal {
        let (host, status) = (self.host(), reply.status);
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let words = format!("{host} cannot give a token now ({status})");
            return TokenError::unreachable(words, reply.wait).into();
        }
        let error = match serde_json::from_slice::<BasicErrorResponse>(&reply.body) {
            Ok(told) => {
                let secrets = secrets(sent);
                let code = words::clean(told.error().as_ref(), &secrets);
                let said = told.error_description().map_or("", String::as_str);
                words::refusal(host, &code, &words::clean(said, &secrets), about)
            }
            Err(_) => TokenError::refused(format!("{host} gives no token ({status})")),
        };
        Refusal { error, ahead: reply.ahead }
    }

    fn unreachable(&self, error: &reqwest::Error) -> TokenError {
        let words = innermost(error);
        TokenError::unreachable(format!("{} cannot be asked for a token: {words}", self.host()), None)
    }
}

/// The secrets among what was sent.
fn secrets(sent: &[(&str, &str)]) -> Redactor {
    let mut redactor = Redactor::default();
    for (_, value) in sent.iter().filter(|(name, _)| !PUBLIC.contains(name)) {
        redactor.add(&Secret::new(*value));
    }
    redactor
}

/// The parameter that says for what a token is to be good; none where the server knows.
pub(crate) fn scope(scope: &str) -> Option<(&str, &str)> {
    (!scope.is_empty()).then_some(("scope", scope))
}

/// How long the server wants to be left alone: seconds, or until a moment (RFC 9110, section 10.2.3).
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds = value.trim().parse().ok().or_else(|| {
        let until = date(response, header::RETRY_AFTER)?;
        Some(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0))
    });
    seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// A moment in a header, as HTTP writes it (RFC 9110, section 5.6.7).
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
            assert!(words.contains("no password") && !words.contains("hunter2"), "{words}");
        }
        for wrong in ["http://login.example.org/token", "ftp://localhost/", "token", "http://10.0.0.1/"] {
            assert!(TokenUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
