//! SASL mechanism LOGIN (draft-murchison-sasl-login). It never became an RFC, but many servers offer it.

use mailhaul_mail::Secret;

use super::{Credentials, Mechanism, unexpected};
use crate::error::Error;

pub(super) const NAME: &str = "LOGIN";

struct Login {
    user: String,
    secret: Secret,
    asked: u8,
}

/// Returns `None` for another user's mailbox, because the mechanism cannot name it.
pub(super) fn start(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    if credentials.identity().is_some() {
        return None;
    }
    Some(Box::new(Login { user: credentials.user.clone(), secret: credentials.secret.clone(), asked: 0 }))
}

impl Mechanism for Login {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// The words of the two prompts differ between servers, but their order does not.
    fn respond(&mut self, _challenge: &[u8]) -> Result<Vec<u8>, Error> {
        self.asked += 1;
        match self.asked {
            1 => Ok(self.user.as_bytes().to_vec()),
            2 => Ok(self.secret.expose().to_vec()),
            _ => {
                self.asked = 2;
                Err(unexpected(NAME, "the server asks for more than user and password"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::CredentialKind;

    #[test]
    fn user_then_password_and_no_more() {
        let credentials = Credentials {
            user: "tim".to_owned(),
            authorize_as: None,
            secret: Secret::new(*b"any\xFFoctet"),
            kind: CredentialKind::Password,
            mechanism: None,
        };
        let mut login = start(&credentials).unwrap();
        assert_eq!(login.initial(), None);
        assert_eq!(login.respond(b"Username:").unwrap(), b"tim");
        assert_eq!(login.respond(b"Password:").unwrap(), b"any\xFFoctet");
        assert!(login.respond(b"Again:").is_err());
    }
}
