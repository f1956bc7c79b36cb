//! Refused certificates, and the reasons as text.

use std::{
    fmt::{self, Write as _},
    io,
};

use rustls::{
    CertificateError, OtherError,
    pki_types::{CertificateDer, UnixTime},
};

use crate::certificate::Certificate;

/// End of the message about a key that is too short.
pub(crate) const SHORT_KEY_ENDING: &str = "its key is too short";

/// A certificate that was refused.
#[derive(Debug)]
pub(crate) struct UntrustedCertificate {
    pub(crate) reason: Reason,
    /// The server's own certificate.
    pub(crate) seen: Certificate,
    /// The chain that the server sent, possibly incomplete.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

/// Returns the refused certificate, if that is the reason of a failed handshake.
pub(crate) fn untrusted(error: &io::Error) -> Option<&UntrustedCertificate> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match tls {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => inner.downcast_ref(),
        _ => None,
    }
}

/// Reason of a refusal.
#[derive(Debug)]
pub(crate) enum Reason {
    /// Another certificate is pinned.
    NotPinned,
    /// The RSA key has only this number of bits.
    ShortKey(usize),
    /// The verification failed.
    Invalid(CertificateError),
}

impl std::error::Error for UntrustedCertificate {}

impl fmt::Display for UntrustedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::NotPinned => f.write_str("it is not the pinned one")?,
            Reason::ShortKey(bits) => write!(f, "RSA with {bits} bits")?,
            Reason::Invalid(error) => f.write_str(&explain(error, &self.seen))?,
        }
        f.write_str(" (its SHA-256 is ")?;
        self.seen.sha256.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(")")?;
        // The caller recognizes a short key by the end of the message.
        if matches!(self.reason, Reason::ShortKey(_)) { write!(f, ": {SHORT_KEY_ENDING}") } else { Ok(()) }
    }
}

/// Returns the reason as text that continues "the certificate ... is not trusted:".
fn explain(error: &CertificateError, seen: &Certificate) -> String {
    use CertificateError as E;
    let days = |from: &UnixTime, to: &UnixTime| to.as_secs().saturating_sub(from.as_secs()) / 86_400;
    match error {
        E::Expired => "it has expired".to_owned(),
        E::ExpiredContext { time, not_after } => {
            format!("it has expired, {} days ago", days(not_after, time))
        }
        E::NotValidYet => "it is not yet valid".to_owned(),
        E::NotValidYetContext { time, not_before } => {
            format!("it is not yet valid, for {} more days", days(time, not_before))
        }
        // A server certificate that may sign others is refused before its issuer is checked. Self-signed certificates that
        // were made with default options are of this kind.
        _ if seen.is_self_signed() && is_about_issuer(error) => {
            "it is self-signed, and no authority vouches for it".to_owned()
        }
        E::UnknownIssuer => match &seen.content {
            Some(it) => format!("its issuer is unknown: {}", it.issuer),
            None => "its issuer is unknown".to_owned(),
        },
        E::Other(_) if is_about_issuer(error) => {
            "it is the certificate of an authority, and not of a server".to_owned()
        }
        E::NotValidForName => "it is for another name".to_owned(),
        E::NotValidForNameContext { presented, .. } => {
            format!("it is for another name: {}", names(presented))
        }
        E::Revoked => "it was revoked".to_owned(),
        E::BadSignature => match &seen.content {
            Some(it) => format!("it is not signed with the trusted key of {}", it.issuer),
            None => "its signature is wrong".to_owned(),
        },
        E::Other(other) if other.to_string() == "UnsupportedCertVersion" => {
            "it is an X.509 certificate of version 1, which has no place for the server's name".to_owned()
        }
        other => other.to_string(),
    }
}

/// True if the issuer is the problem. The second error is known only by its name.
fn is_about_issuer(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer => true,
        CertificateError::Other(other) => other.to_string() == "CaUsedAsEndEntity",
        _ => false,
    }
}

/// Returns the first names of a certificate, without control characters.
fn names(presented: &[String]) -> String {
    const MAX_SHOWN: usize = 5;
    let mut text = String::new();
    for name in presented.iter().take(MAX_SHOWN) {
        // rustls writes them as `DnsName("mail.example")`.
        let name = name.strip_prefix("DnsName(\"").and_then(|rest| rest.strip_suffix("\")")).unwrap_or(name);
        let name = name.chars().filter(|character| !character.is_control()).take(100);
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.extend(name);
    }
    if presented.len() > MAX_SHOWN {
        _ = write!(text, " and {} more", presented.len() - MAX_SHOWN);
    }
    if text.is_empty() { "it names none".to_owned() } else { text }
}
