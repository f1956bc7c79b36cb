//! Private keys in PEM (RFC 7468), as administrators have them: PKCS#8 (RFC 5958) and PKCS#1 (RFC 8017).

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

/// A key that signs assertions.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    pub(crate) signing: EncodingKey,
    /// The key that goes with it, as certificates hold it (`SubjectPublicKeyInfo` of RFC 5280).
    pub(crate) public: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

/// One piece of a PEM file.
pub(crate) type Section = (SectionKind, Zeroizing<Vec<u8>>);

/// The pieces of a PEM file that are of a known kind.
pub(crate) fn sections(pem: &[u8]) -> Result<Vec<Section>, String> {
    let has = |word: &str| pem.windows(word.len()).any(|it| it == word.as_bytes());
    if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") {
        return Err(
            "the private key has a passphrase: take it away with `openssl pkey -in FILE -out NEW`".to_owned()
        );
    }
    // A SEQUENCE in DER, and not a letter of the Latin alphabet.
    if pem.first() == Some(&0x30) && pem.get(1).is_some_and(|it| *it >= 0x80) {
        return Err("it is binary (PKCS#12 or DER), and not PEM: `openssl pkcs12 -in FILE.pfx -nodes -out NEW.pem` makes PEM of a \
                    .pfx file"
            .to_owned());
    }
    <(SectionKind, Vec<u8>)>::pem_slice_iter(pem)
        .map(|section| {
            let (kind, octets) = section.map_err(|error| format!("it cannot be read as PEM: {error}"))?;
            Ok((kind, Zeroizing::new(octets)))
        })
        .collect()
}

impl PrivateKey {
    /// The one private key in a PEM file.
    pub(crate) fn read(pem: &[u8]) -> Result<Self, String> {
        let sections = sections(pem)?;
        let mut keys = sections.iter().filter(|(kind, _)| is_private(*kind));
        match (keys.next(), keys.next()) {
            (Some(section), None) => Self::of(section),
            (None, _) => Err("there is no private key in it (\"-----BEGIN PRIVATE KEY-----\")".to_owned()),
            (Some(_), Some(_)) => Err("there are several private keys in it; one is wanted".to_owned()),
        }
    }

    /// The key in this piece.
    pub(crate) fn of((kind, octets): &Section) -> Result<Self, String> {
        const UNREADABLE: &str = "the private key cannot be read: an RSA key of 2048 bits or more is wanted";
        let der = match kind {
            SectionKind::RsaPrivateKey => PrivateKeyDer::Pkcs1(octets.as_slice().into()),
            SectionKind::PrivateKey => PrivateKeyDer::Pkcs8(octets.as_slice().into()),
            _ => return Err("the private key is no RSA key".to_owned()),
        };
        let key = any_supported_type(&der).map_err(|_| UNREADABLE.to_owned())?;
        if key.algorithm() != SignatureAlgorithm::RSA {
            return Err("the private key is no RSA key".to_owned());
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

/// The PKCS#1 key in one of PKCS#8: version, algorithm, and the key as octets.
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
