//! Common part of OAUTHBEARER (RFC 7628) and XOAUTH2: one message, and a challenge with the reason of a refusal.

use mailhaul_mail::Secret;

use super::{Mechanism, unexpected};
use crate::error::{Error, clean};

/// Exchange with a bearer token.
pub(super) struct Bearer {
    name: &'static str,
    message: Option<Vec<u8>>,
    /// Answer that the server expects before its NO.
    farewell: &'static [u8],
    token: Secret,
    refusal: Option<String>,
}

impl Bearer {
    pub(super) fn start(
        name: &'static str,
        message: Vec<u8>,
        farewell: &'static [u8],
        token: &Secret,
    ) -> Box<dyn Mechanism + Send> {
        Box::new(Self { name, message: Some(message), farewell, token: token.clone(), refusal: None })
    }
}

impl Mechanism for Bearer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&mut self) -> Option<Vec<u8>> {
        self.message.take()
    }

    /// Protocol: a challenge is an error, a JSON object (RFC 7628, section 3.2.2).
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Error> {
        if self.refusal.is_some() {
            return Err(unexpected(self.name, "the server sent a second challenge"));
        }
        self.refusal = Some(words(challenge, &self.token));
        Ok(self.farewell.to_vec())
    }

    fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref().filter(|words| !words.is_empty())
    }
}

/// Returns the challenge as text for display. The token is redacted.
fn words(challenge: &[u8], token: &Secret) -> String {
    let text = String::from_utf8_lossy(challenge);
    let token = String::from_utf8_lossy(token.expose());
    let text = if token.is_empty() { text.into_owned() } else { text.replace(token.as_ref(), "[redacted]") };
    clean(text.trim())
}
