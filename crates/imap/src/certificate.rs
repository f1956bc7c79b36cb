//! Contents of a certificate (RFC 5280), for display. `tls` decides if it is trusted.

use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use sha2::{Digest as _, Sha256};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, oid_registry::OID_X509_COMMON_NAME,
    prelude::FromDer as _, x509::X509Name,
};

/// Names that are kept of one certificate. Some have thousands.
const MAX_NAMES: usize = 100;

/// Longest name that is kept, in characters.
const MAX_TEXT: usize = 200;

/// One certificate of a server's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the certificate, as in [`TlsOptions::pin_sha256`](crate::TlsOptions::pin_sha256).
    pub sha256: [u8; 32],
    /// Contents; `None` if they cannot be read.
    pub content: Option<CertificateContent>,
}

/// Contents of a certificate. The texts have no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateContent {
    /// Common name of the subject, or the whole subject.
    pub subject: String,
    /// Issuer, in the same form.
    pub issuer: String,
    /// Host names and addresses (subjectAltName), the first hundred.
    pub names: Vec<String>,
    /// First second of validity, since 1970.
    pub not_before: i64,
    /// Last second of validity, since 1970.
    pub not_after: i64,
    /// True if subject and issuer are the same.
    pub is_self_signed: bool,
}

impl Certificate {
    pub(crate) fn read(der: &CertificateDer<'_>) -> Self {
        let content = X509Certificate::from_der(der).ok().map(|(_, it)| CertificateContent::new(&it));
        Self { sha256: Sha256::digest(der).into(), content }
    }

    /// True if subject and issuer are the same.
    pub fn is_self_signed(&self) -> bool {
        self.content.as_ref().is_some_and(|content| content.is_self_signed)
    }
}

/// True if the certificate is for this host.
pub(crate) fn names_host(der: &CertificateDer<'_>, host: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(der).is_ok_and(|certificate| verify_server_name(&certificate, host).is_ok())
}

/// True if the certificate is valid now and names the host. The subject counts if the certificate has no other names.
pub(crate) fn is_good_for(der: &CertificateDer<'_>, host: &ServerName<'_>, now: UnixTime) -> bool {
    let Some(content) = Certificate::read(der).content else { return false };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let is_subject = content.names.is_empty() && content.subject.eq_ignore_ascii_case(&host.to_str());
    (content.not_before..=content.not_after).contains(&now) && (is_subject || names_host(der, host))
}

impl CertificateContent {
    fn new(certificate: &X509Certificate<'_>) -> Self {
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|extension| &extension.value.general_names).filter_map(host);
        Self {
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
            names: names.take(MAX_NAMES).collect(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            is_self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        }
    }
}

fn name(of: &X509Name<'_>) -> String {
    let common = of.iter_by_oid(&OID_X509_COMMON_NAME).next().and_then(|attribute| attribute.as_str().ok());
    common.map_or_else(|| clean(&of.to_string()), clean)
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some(clean(host)),
        GeneralName::IPAddress(octets) => {
            let four = <[u8; 4]>::try_from(*octets).map(std::net::IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*octets).map(std::net::IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

fn clean(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn it_says_whose_it_is_and_how_long_it_is_valid() {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name.push(DnType::CommonName, "The authority\u{7}");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let hosts = ["mail.example", "*.mail.example", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(hosts.to_vec()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "mail.example");
        (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2025, 1, 1));
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &authority).unwrap();

        let read = Certificate::read(leaf.der());
        assert_eq!(read.sha256, <[u8; 32]>::from(Sha256::digest(leaf.der())));
        let content = read.content.clone().unwrap();
        assert_eq!((content.subject.as_str(), content.issuer.as_str()), ("mail.example", "The authority"));
        assert_eq!(content.names, hosts);
        assert_eq!((content.not_before, content.not_after), (1_704_067_200, 1_735_689_600));
        assert!(!read.is_self_signed() && Certificate::read(authority.as_ref().der()).is_self_signed());
        for (host, is_for) in
            [("mail.example", true), ("a.mail.example", true), ("127.0.0.1", true), ("www", false)]
        {
            assert_eq!(names_host(leaf.der(), &ServerName::try_from(host).unwrap()), is_for, "{host}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_a_fingerprint_all_the_same() {
        for octets in [&b""[..], b"\x30\x03\x02\x01", &[0x30; 100]] {
            let der = CertificateDer::from(octets);
            let read = Certificate::read(&der);
            assert_eq!((read.content.is_none(), read.is_self_signed()), (true, false));
            assert!(!names_host(&der, &ServerName::try_from("mail.example").unwrap()));
        }
    }
}
