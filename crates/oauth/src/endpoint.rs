//! The token endpoint of an authorization server (RFC 6749, section 3.2): one POST, and what its answer means.

use std::time::Duration;

use mailhaul_mail::{Retry, Secret};
use oauth2::{TokenResponse as _, basic::BasicErrorResponse, basic::BasicTokenResponse};
use reqwest::{Client, Response, StatusCode, header};
use url::Url;

use crate::{error::TokenError, source::Token};

/// So long one question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer of a token server is longer.
const LONGEST_ANSWER: usize = 1 << 20;

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

impl TokenEndpoint {
    /// At this address.
    ///
    /// # Errors
    /// Where TLS cannot be set up on this machine.
    pub fn new(url: TokenUrl) -> Result<Self, TokenError> {
        let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| TokenError::refused(format!("TLS cannot be set up: {error}")))?;
        Ok(Self { url, client })
    }

    /// Who is asked, for people.
    pub fn host(&self) -> &str {
        self.url.host()
    }

    /// Asks for a token with these parameters, secrets among them.
    ///
    /// # Errors
    /// What the server said, or why it could not be asked.
    pub async fn ask(&self, parameters: &[(&str, &str)]) -> Result<Token, TokenError> {
        let sent = self.client.post(self.url.0.clone()).header(header::ACCEPT, "application/json");
        let response = sent.form(parameters).send().await.map_err(|error| self.unreachable(&error))?;
        let (status, wait) = (response.status(), retry_after(&response));
        let body = self.body(response).await?;
        if status.is_success() {
            return self.token(&body);
        }
        Err(self.refusal(status, wait, &body))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, TokenError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_ANSWER {
                return Err(TokenError::refused(format!("{} sends no end of an answer", self.host())));
            }
        }
        Ok(body)
    }

    fn token(&self, body: &[u8]) -> Result<Token, TokenError> {
        // What was received is never shown: there may be a token in it.
        let answer: BasicTokenResponse = serde_json::from_slice(body).map_err(|_| {
            TokenError::refused(format!("{} answers with something that is no token", self.host()))
        })?;
        Ok(Token {
            secret: Secret::new(answer.access_token().secret().as_bytes()),
            life: answer.expires_in(),
        })
    }

    fn refusal(&self, status: StatusCode, wait: Option<Duration>, body: &[u8]) -> TokenError {
        let host = self.host();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return TokenError::unreachable(format!("{host} cannot give a token now ({status})"), wait);
        }
        match serde_json::from_slice::<BasicErrorResponse>(body) {
            Ok(told) => {
                let code = told.error().to_string();
                let words = told.error_description().map_or_else(String::new, |words| format!(": {words}"));
                TokenError {
                    message: format!("{host} gives no token ({code}{words})"),
                    code: Some(code),
                    retry: Retry::Never,
                    concerns_all: true,
                }
            }
            Err(_) => TokenError::refused(format!("{host} gives no token ({status})")),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> TokenError {
        let mut words = String::new();
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            words = error.to_string();
            cause = error.source();
        }
        TokenError::unreachable(format!("{} cannot be asked for a token: {words}", self.host()), None)
    }
}

/// How long the server wants to be left alone, in seconds (RFC 9110, section 10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
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
        for wrong in ["http://login.example.org/token", "ftp://localhost/", "token", "http://10.0.0.1/"] {
            assert!(TokenUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
