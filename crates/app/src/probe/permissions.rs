//! What a token says that it permits, where it is a JWT (RFC 7519) as Microsoft's are. Nobody has verified it: it is for people, and
//! decides nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mailhaul_mail::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

/// Microsoft's name for the right of an application to open mailboxes by IMAP.
pub(super) const AS_APPLICATION: &str = "IMAP.AccessAsApp";
/// No more of a token's words is shown.
const SHOWN: usize = 20;

/// The permissions that the token names: those of an application (`roles`), then those that somebody gave it (`scp`). `None`
/// where the token says nothing of itself.
pub(super) fn permissions(token: &Secret) -> Option<Vec<String>> {
    let text = std::str::from_utf8(token.expose()).ok()?;
    let mut parts = text.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let roles = claims["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let scopes = claims["scp"].as_str().into_iter().flat_map(str::split_whitespace);
    let clean = |word: &str| word.chars().filter(|it| !it.is_control()).take(100).collect();
    claims.is_object().then(|| roles.chain(scopes).take(SHOWN).map(clean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Secret {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Secret::new(format!("{}.{}.signature", part("{}"), part(claims)))
    }

    #[test]
    fn what_a_token_says_is_read_where_it_says_something() {
        let of = |claims: &str| permissions(&token(claims));
        assert_eq!(
            of(r#"{"roles":["IMAP.AccessAsApp","Mail.Read"]}"#).unwrap(),
            [AS_APPLICATION, "Mail.Read"]
        );
        assert_eq!(of(r#"{"scp":"IMAP.AccessAsUser.All offline_access"}"#).unwrap().len(), 2);
        assert_eq!(of(r#"{"roles":"no list","scp":["no text"]}"#).unwrap(), [""; 0]);
        assert_eq!(of(r#"{"roles":["a\u001b[2Jb"]}"#).unwrap(), ["a[2Jb"]);
        for opaque in ["", "ya29.a0AfH6SMB", "a.b.c", "a.b.c.d"] {
            assert_eq!(permissions(&Secret::new(opaque)), None, "{opaque}");
        }
        assert_eq!(of("[]"), None);
    }
}
