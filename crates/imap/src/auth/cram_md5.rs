//! CRAM-MD5 (RFC 2195).

use hmac::{Hmac, KeyInit, Mac};
use mailhaul_mail::Secret;
use md5::Md5;

use super::{Credentials, Mechanism, unexpected};
use crate::error::Error;

pub(super) const NAME: &str = "CRAM-MD5";

struct CramMd5 {
    user: String,
    secret: Secret,
    answered: bool,
}

/// Returns `None` for another user's mailbox, because the mechanism cannot name it.
pub(super) fn start(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    if credentials.identity().is_some() {
        return None;
    }
    let (user, secret) = (credentials.user.clone(), credentials.secret.clone());
    Some(Box::new(CramMd5 { user, secret, answered: false }))
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Error> {
        if std::mem::replace(&mut self.answered, true) {
            return Err(unexpected(NAME, "the server sent a second challenge"));
        }
        let mut mac = Hmac::<Md5>::new_from_slice(self.secret.expose())
            .map_err(|_| unexpected(NAME, "the password cannot be used as a key"))?;
        mac.update(challenge);
        let mut answer = format!("{} ", self.user).into_bytes();
        for octet in mac.finalize().into_bytes() {
            answer.extend_from_slice(format!("{octet:02x}").as_bytes());
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::CredentialKind;

    #[test]
    fn the_example_of_the_rfc() {
        let credentials = Credentials {
            user: "tim".to_owned(),
            authorize_as: None,
            secret: Secret::new("tanstaaftanstaaf"),
            kind: CredentialKind::Password,
            mechanism: None,
        };
        let mut cram = start(&credentials).unwrap();
        assert_eq!(cram.initial(), None);
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(cram.respond(challenge).unwrap(), b"tim b913a602c7eda7a495b4e6e7334d3890");
        assert!(cram.respond(challenge).is_err());
    }
}
