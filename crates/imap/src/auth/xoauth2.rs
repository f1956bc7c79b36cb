//! SASL mechanism XOAUTH2 of Google and Microsoft for access tokens, in no RFC.

use super::{Credentials, Mechanism, bearer::Bearer};

pub(super) const NAME: &str = "XOAUTH2";

/// Returns `None` if a part contains ^A, because ^A ends the parts.
///
/// The user is the mailbox's owner, even with another user's token. Microsoft requires this for shared mailboxes.
pub(super) fn start(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    let (owner, token) = (credentials.only_name().as_bytes(), credentials.secret.expose());
    if owner.contains(&1) || token.contains(&1) {
        return None;
    }
    let message = [b"user=", owner, b"\x01auth=Bearer ", token, b"\x01\x01"].concat();
    // The server expects an empty answer before its NO to a refused token.
    Some(Bearer::start(NAME, message, b"", &credentials.secret))
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

    use super::*;
    use crate::auth::{AuthorizeAs, CredentialKind};

    #[test]
    fn the_example_of_its_inventors() {
        let credentials = Credentials {
            user: "someuser@example.com".to_owned(),
            authorize_as: None,
            secret: Secret::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"),
            kind: CredentialKind::BearerToken,
            mechanism: None,
        };
        let mut xoauth2 = start(&credentials).unwrap();
        assert_eq!(
            xoauth2.initial().unwrap(),
            b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01"
        );
        assert_eq!(xoauth2.respond(br#"{"status":"401"}"#).unwrap(), b"");
        assert_eq!(xoauth2.refusal(), Some(r#"{"status":"401"}"#));
        assert!(xoauth2.respond(b"").is_err());

        // A server that repeats everything that it received.
        let mut echo = start(&credentials).unwrap();
        assert_eq!(echo.refusal(), None);
        echo.respond(b"ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\r\n is\x1b wrong").unwrap();
        assert_eq!(echo.refusal(), Some("[redacted]\u{fffd}\u{fffd} is\u{fffd} wrong"));

        let shared = Credentials {
            authorize_as: Some(AuthorizeAs::Identity("shared@example.com".to_owned())),
            ..credentials
        };
        let message = start(&shared).unwrap().initial().unwrap();
        assert!(message.starts_with(b"user=shared@example.com\x01"));
    }
}
