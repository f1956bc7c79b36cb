//! PLAIN (RFC 4616).

use super::{Credentials, Mechanism, unexpected};
use crate::error::Error;

pub(super) const NAME: &str = "PLAIN";

struct Plain {
    message: Option<Vec<u8>>,
}

/// Returns `None` if a part contains NUL, because NUL separates the parts.
pub(super) fn start(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    let identity = credentials.identity().unwrap_or_default();
    let parts = [identity.as_bytes(), credentials.user.as_bytes(), credentials.secret.expose()];
    if parts.iter().any(|part| part.contains(&0)) {
        return None;
    }
    Some(Box::new(Plain { message: Some(parts.join(&0)) }))
}

impl Mechanism for Plain {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial(&mut self) -> Option<Vec<u8>> {
        self.message.take()
    }

    fn respond(&mut self, _challenge: &[u8]) -> Result<Vec<u8>, Error> {
        Err(unexpected(NAME, "the server sent an unexpected challenge"))
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

    use super::*;
    use crate::auth::{AuthorizeAs, CredentialKind};

    #[test]
    fn the_examples_of_the_rfc() {
        let mut credentials = Credentials {
            user: "tim".to_owned(),
            authorize_as: None,
            secret: Secret::new("tanstaaftanstaaf"),
            kind: CredentialKind::Password,
            mechanism: None,
        };
        let mut plain = start(&credentials).unwrap();
        assert_eq!(plain.initial().unwrap(), b"\0tim\0tanstaaftanstaaf");
        assert!(plain.respond(b"").is_err());

        credentials.user = "Kurt".to_owned();
        credentials.authorize_as = Some(AuthorizeAs::Identity("Ursel".to_owned()));
        credentials.secret = Secret::new("xipj3plmq");
        assert_eq!(start(&credentials).unwrap().initial().unwrap(), b"Ursel\0Kurt\0xipj3plmq");
    }
}
