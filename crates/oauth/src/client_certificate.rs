//! Client credentials with a certificate: an assertion instead of a secret (RFC 6749, section 4.4;
//! RFC 7523, section 2.2).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header};
use mailhaul_mail::Secret;
use rustls::pki_types::pem::SectionKind;
use serde_json::json;
use sha2::Digest as _;
use uuid::Uuid;
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};
use zeroize::Zeroizing;

use crate::{
    assertion::{self, Times},
    clock::ServerClock,
    endpoint::{TokenEndpoint, scope},
    error::TokenError,
    private_key::{PrivateKey, is_private, sections},
    source::{Asking, TokenSource},
    words::About,
};

/// Assertion type (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Certificate and private key from one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFile {
    /// In PEM.
    pub certificate: String,
    /// In PEM.
    pub private_key: Secret,
}

impl CertificateFile {
    /// Parses a PEM file with a private key and its certificate; it may contain the rest of a chain.
    ///
    /// # Errors
    /// A part is missing, does not match, or has expired by `now`; in words.
    pub fn parse(pem: &[u8], now: Timestamp) -> Result<Self, String> {
        let sections = sections(pem)?;
        let of =
            |kind: fn(SectionKind) -> bool| sections.iter().filter(move |it| kind(it.0)).collect::<Vec<_>>();
        let certificates = of(|it| it == SectionKind::Certificate);
        let keys = of(is_private);
        let section = match (certificates.is_empty(), keys.as_slice()) {
            (true, []) => {
                return Err("the file contains neither a certificate nor a private key (PEM)".to_owned());
            }
            (true, _) => {
                return Err("the file contains no certificate (\"-----BEGIN CERTIFICATE-----\")".to_owned());
            }
            (_, []) => {
                return Err(
                    "the file contains no private key (\"-----BEGIN PRIVATE KEY-----\"), only a certificate"
                        .to_owned(),
                );
            }
            (_, [section]) => *section,
            (_, _) => return Err("the file contains several private keys; it must contain one".to_owned()),
        };
        let key = PrivateKey::from_section(section)?;
        for (_, der) in certificates {
            let read = X509Certificate::from_der(der);
            let (_, certificate) =
                read.map_err(|error| format!("a certificate in the file cannot be read: {error}"))?;
            if certificate.public_key().raw != key.public {
                continue;
            }
            is_in_time(&certificate, now)?;
            let label =
                if section.0 == SectionKind::RsaPrivateKey { "RSA PRIVATE KEY" } else { "PRIVATE KEY" };
            return Ok(Self {
                certificate: to_pem("CERTIFICATE", der).to_string(),
                private_key: Secret::new(to_pem(label, &section.1).as_bytes()),
            });
        }
        Err("the private key in the file belongs to another certificate".to_owned())
    }
}

/// Returns the end of a certificate's validity; `None` if the text holds none.
pub fn certificate_end(pem: &str) -> Option<Timestamp> {
    let sections = sections(pem.as_bytes()).ok()?;
    let (_, der) = sections.iter().find(|section| section.0 == SectionKind::Certificate)?;
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn is_in_time(certificate: &X509Certificate<'_>, now: Timestamp) -> Result<(), String> {
    let (begin, end) = (&certificate.validity().not_before, &certificate.validity().not_after);
    let moment =
        |seconds| Timestamp::from_second(seconds).map_or_else(|_| "long ago".to_owned(), |it| it.to_string());
    if end.timestamp() < now.as_second() {
        return Err(format!("the certificate expired on {}", moment(end.timestamp())));
    }
    if begin.timestamp() > now.as_second() {
        return Err(format!("the certificate is not valid before {}", moment(begin.timestamp())));
    }
    Ok(())
}

fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    // Allocated with its final size, so that no copy of the key remains in memory.
    let mut pem = Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / 64 + 100));
    pem.extend(["-----BEGIN ", label, "-----\n"]);
    for (index, letter) in encoded.char_indices() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.extend(["\n-----END ", label, "-----\n"]);
    pem
}

/// Token source: an application with a certificate.
pub struct ClientCertificate {
    endpoint: TokenEndpoint,
    client_id: String,
    scope: String,
    header: Header,
    key: PrivateKey,
    clock: ServerClock,
}

impl ClientCertificate {
    /// Takes the certificate and its private key in PEM. `scope` is empty for the server's default.
    ///
    /// # Errors
    /// They cannot be read or do not match; in words.
    pub fn new(
        endpoint: TokenEndpoint,
        client_id: String,
        certificate: &str,
        private_key: &Secret,
        scope: String,
    ) -> Result<Self, String> {
        let sections = sections(certificate.as_bytes())?;
        let der = sections.iter().find(|it| it.0 == SectionKind::Certificate);
        let (_, der) = der.ok_or("the certificate is missing (\"-----BEGIN CERTIFICATE-----\")")?;
        let (_, parsed) = X509Certificate::from_der(der)
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let key = PrivateKey::read(private_key.expose())?;
        if parsed.public_key().raw != key.public {
            return Err("the private key belongs to another certificate".to_owned());
        }
        let mut header = Header::new(Algorithm::PS256);
        // The second one is for authorization servers from before 2023.
        header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(der)));
        header.x5t = Some(URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(der)));
        Ok(Self { endpoint, client_id, scope, header, key, clock: ServerClock::default() })
    }

    fn assertion(&self, times: Times) -> Result<Zeroizing<String>, TokenError> {
        let claims = json!({
            "aud": self.endpoint.url().as_str(),
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": Uuid::new_v4().to_string(),
            "nbf": times.begin,
            "iat": times.begin,
            "exp": times.end,
        });
        assertion::sign(&self.header, &claims, &self.key.signing)
    }
}

impl TokenSource for ClientCertificate {
    fn opens_every_mailbox(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let mut parameters = vec![
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("client_assertion_type", ASSERTION_TYPE),
            ];
            parameters.extend(scope(&self.scope));
            let about = About { client_id: &self.client_id, scope: &self.scope, mailbox };
            let sign = |times| self.assertion(times);
            let name = "client_assertion";
            let asked = assertion::ask(&self.endpoint, &self.clock, &parameters, name, about, sign);
            Ok(asked.await?.token)
        })
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
