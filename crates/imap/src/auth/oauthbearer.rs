//! OAUTHBEARER (RFC 7628).

use mailhaul_mail::Secret;

use super::{Credentials, Mechanism, bearer_refusal, scram::saslname, unexpected};
use crate::error::Error;

pub(super) const NAME: &str = "OAUTHBEARER";

struct OauthBearer {
    message: Option<Vec<u8>>,
    token: Secret,
    refusal: Option<String>,
}

/// `None` where a ^A is in the way: it ends the parts. The optional host and port are left out: they tell the server
/// nothing that it does not know.
pub(super) fn start(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    let (owner, token) = (credentials.only_name(), credentials.secret.expose());
    if owner.contains('\x01') || token.contains(&1) {
        return None;
    }
    let head = format!("n,a={},\x01auth=Bearer ", saslname(owner));
    let message = [head.as_bytes(), token, b"\x01\x01"].concat();
    Some(Box::new(OauthBearer { message: Some(message), token: credentials.secret.clone(), refusal: None }))
}

impl Mechanism for OauthBearer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial(&mut self) -> Option<Vec<u8>> {
        self.message.take()
    }

    /// A challenge is an error in JSON: the server wants one ^A before it says NO (section 3.2.3).
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Error> {
        if self.refusal.is_some() {
            return Err(unexpected(NAME, "the server sent a second challenge"));
        }
        self.refusal = Some(bearer_refusal::words(challenge, &self.token));
        Ok(vec![1])
    }

    fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref().filter(|words| !words.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::CredentialKind;

    #[test]
    fn the_exchange_of_the_rfc() {
        let credentials = Credentials {
            user: "user@example.com".to_owned(),
            authorize_as: None,
            secret: Secret::new("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
            kind: CredentialKind::BearerToken,
            mechanism: None,
        };
        let mut bearer = start(&credentials).unwrap();
        assert_eq!(
            bearer.initial().unwrap(),
            b"n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        );
        let refusal = br#"{"status":"invalid_token","scope":"example_scope"}"#;
        assert_eq!(bearer.respond(refusal).unwrap(), b"\x01");
        assert!(bearer.respond(refusal).is_err());

        let odd = Credentials { user: "a,b=c".to_owned(), ..credentials };
        assert!(start(&odd).unwrap().initial().unwrap().starts_with(b"n,a=a=2Cb=3Dc,\x01"));
    }
}
