//! Certificates that are refused, and why, in words.

use std::{
    fmt::{self, Write as _},
    io,
};

use rustls::{
    CertificateError, OtherError,
    pki_types::{CertificateDer, UnixTime},
};

use crate::certificate::Certificate;

/// How the message ends of a key that is too short.
pub(crate) const SHORT_KEY_ENDING: &str = "its key is too short";

/// A certificate that was refused.
#[derive(Debug)]
pub(crate) struct UntrustedCertificate {
    pub(crate) reason: Reason,
    /// The server's own.
    pub(crate) seen: Certificate,
    /// As far as the server sent it.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

/// What was refused, where that is why the handshake failed.
pub(crate) fn untrusted(error: &io::Error) -> Option<&UntrustedCertificate> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match tls {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => inner.downcast_ref(),
        _ => None,
    }
}

/// Why it was refused.
#[derive(Debug)]
pub(crate) enum Reason {
    /// It is not the one that was named.
    NotPinned,
    /// RSA with so few bits.
    ShortKey(usize),
    /// It does not hold.
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
        // The end of the message tells it apart.
        if matches!(self.reason, Reason::ShortKey(_)) { write!(f, ": {SHORT_KEY_ENDING}") } else { Ok(()) }
    }
}

/// Why a certificate is not good, in words that go on from "the certificate ... is not trusted:".
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
        // A server's certificate that may sign others is refused before anybody asks who its issuer is: a self-signed one
        // that was made by default options is such.
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
            Some(it) => format!("it is not signed by {} as that is trusted here", it.issuer),
            None => "its signature is wrong".to_owned(),
        },
        E::Other(other) if other.to_string() == "UnsupportedCertVersion" => {
            "it is an X.509 certificate of version 1, which has no place for the server's name".to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether who signed it is what is wrong with it. Of the second error there is only the name.
fn is_about_issuer(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer => true,
        CertificateError::Other(other) => other.to_string() == "CaUsedAsEndEntity",
        _ => false,
    }
}

/// The first few names in a certificate, without what could upset a terminal.
fn names(presented: &[String]) -> String {
    const MAX_SHOWN: usize = 5;
    let mut text = String::new();
    for name in presented.iter().take(MAX_SHOWN) {
        // rustls writes them as `DnsName("mail.example")`.
        let name = name.strip_prefix("DnsName(\"").and_then(|it| it.strip_suffix("\")")).unwrap_or(name);
        let name = name.chars().filter(|it| !it.is_control()).take(100);
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
