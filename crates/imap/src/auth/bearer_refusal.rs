//! Why a token is refused: the challenge of OAUTHBEARER (RFC 7628, section 3.2.2) and of XOAUTH2, an object in JSON.

use mailhaul_mail::Secret;

use crate::error::clean;

/// The challenge for people, as the server wrote it. The token is not in it, whatever the server put there.
pub(super) fn words(challenge: &[u8], token: &Secret) -> String {
    let text = String::from_utf8_lossy(challenge);
    let token = String::from_utf8_lossy(token.expose());
    let text = if token.is_empty() { text.into_owned() } else { text.replace(token.as_ref(), "[redacted]") };
    clean(text.trim())
}
