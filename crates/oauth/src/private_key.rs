//! Private keys in PEM (RFC 7468): PKCS#8 (RFC 5958) and PKCS#1 (RFC 8017).

use std::fmt;

use jsonwebtoken::EncodingKey;
use rustls::{
    SignatureAlgorithm,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{
        PrivateKeyDer,
        pem::{PemObject as _, SectionKind},
    },
};
use x509_parser::asn1_rs::{FromDer as _, Integer, Sequence};
use zeroize::Zeroizing;

/// Private key that signs assertions.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    pub(crate) signing: EncodingKey,
    /// Public key in the form of certificates (`SubjectPublicKeyInfo` of RFC 5280).
    pub(crate) public: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

/// Section of a PEM file.
pub(crate) type Section = (SectionKind, Zeroizing<Vec<u8>>);

/// Returns the sections of a known kind.
pub(crate) fn sections(pem: &[u8]) -> Result<Vec<Section>, String> {
    let has = |word: &str| pem.windows(word.len()).any(|it| it == word.as_bytes());
    if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") {
        return Err(
            "the private key has a passphrase; remove it with `openssl pkey -in FILE -out NEW`".to_owned()
        );
    }
    // A SEQUENCE in DER, and not a Latin letter.
    if pem.first() == Some(&0x30) && pem.get(1).is_some_and(|it| *it >= 0x80) {
        return Err("the file is binary (PKCS#12 or DER), not PEM; `openssl pkcs12 -in FILE.pfx -nodes -out NEW.pem` converts a \
                    .pfx file"
            .to_owned());
    }
    <(SectionKind, Vec<u8>)>::pem_slice_iter(pem)
        .map(|section| {
            let (kind, octets) =
                section.map_err(|error| format!("the file cannot be read as PEM: {error}"))?;
            Ok((kind, Zeroizing::new(octets)))
        })
        .collect()
}

impl PrivateKey {
    /// Reads the only private key of a PEM file.
    pub(crate) fn read(pem: &[u8]) -> Result<Self, String> {
        let sections = sections(pem)?;
        let mut keys = sections.iter().filter(|(kind, _)| is_private(*kind));
        match (keys.next(), keys.next()) {
            (Some(section), None) => Self::from_section(section),
            (None, _) => Err("the file contains no private key (\"-----BEGIN PRIVATE KEY-----\")".to_owned()),
            (Some(_), Some(_)) => {
                Err("the file contains several private keys; it must contain one".to_owned())
            }
        }
    }

    pub(crate) fn from_section(section: &Section) -> Result<Self, String> {
        const UNREADABLE: &str =
            "the private key cannot be read; it must be an RSA key of at least 2048 bits";
        let (kind, octets) = section;
        let der = match kind {
            SectionKind::RsaPrivateKey => PrivateKeyDer::Pkcs1(octets.as_slice().into()),
            SectionKind::PrivateKey => PrivateKeyDer::Pkcs8(octets.as_slice().into()),
            _ => return Err("the private key is not an RSA key".to_owned()),
        };
        let key = any_supported_type(&der).map_err(|_| UNREADABLE.to_owned())?;
        if key.algorithm() != SignatureAlgorithm::RSA {
            return Err("the private key is not an RSA key".to_owned());
        }
        let public = key.public_key().map(|it| it.to_vec()).ok_or(UNREADABLE)?;
        let signing = match kind {
            SectionKind::RsaPrivateKey => EncodingKey::from_rsa_der(octets),
            _ => EncodingKey::from_rsa_der(inner(octets).ok_or(UNREADABLE)?),
        };
        Ok(Self { signing, public })
    }
}

pub(crate) fn is_private(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey)
}

/// Extracts the PKCS#1 key from a PKCS#8 key: version, algorithm, key bytes.
fn inner(pkcs8: &[u8]) -> Option<&[u8]> {
    let (_, all) = Sequence::from_der(pkcs8).ok()?;
    let content = match all.content {
        std::borrow::Cow::Borrowed(content) => content,
        std::borrow::Cow::Owned(_) => return None,
    };
    let (rest, _) = Integer::from_der(content).ok()?;
    let (rest, _) = Sequence::from_der(rest).ok()?;
    let (_, key) = <&[u8]>::from_der(rest).ok()?;
    Some(key)
}
