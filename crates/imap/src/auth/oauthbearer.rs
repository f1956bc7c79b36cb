//! OAUTHBEARER (RFC 7628).

use super::{Credentials, Mechanism, bearer::Bearer, scram::saslname};

pub(super) const NAME: &str = "OAUTHBEARER";

/// Returns `None` if a part contains ^A, because ^A ends the parts. The optional host and port are left out.
pub(super) fn start(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    let (owner, token) = (credentials.only_name(), credentials.secret.expose());
    if owner.contains('\x01') || token.contains(&1) {
        return None;
    }
    let head = format!("n,a={},\x01auth=Bearer ", saslname(owner));
    let message = [head.as_bytes(), token, b"\x01\x01"].concat();
    // The server expects one ^A before its NO to a refused token (section 3.2.3).
    Some(Bearer::start(NAME, message, b"\x01", &credentials.secret))
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

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
