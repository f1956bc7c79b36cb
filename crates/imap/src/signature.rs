//! Handshake signatures with certificates that rustls does not support: X.509 version 1, and short RSA keys.
//!
//! Such a certificate is trusted only by its fingerprint, by its file, or because the operator trusts all certificates.
//! Invariant: the server must prove that it has the certificate's key, whatever is trusted.

use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY as RSA_SHA256,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY as RSA_SHA512, RsaParameters, UnparsedPublicKey,
};
use rustls::{
    DigitallySignedStruct, SignatureScheme, crypto::WebPkiSupportedAlgorithms, pki_types::CertificateDer,
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _, public_key::PublicKey};

/// Shortest RSA key that is accepted from every server, in bits.
const MIN_KEY_BITS: usize = 2_048;

/// Signature schemes of TLS 1.2 that can be checked with a short RSA key.
const SHORT_KEY_SCHEMES: [(SignatureScheme, &RsaParameters); 2] =
    [(SignatureScheme::RSA_PKCS1_SHA256, &RSA_SHA256), (SignatureScheme::RSA_PKCS1_SHA512, &RSA_SHA512)];

pub(crate) fn short_key_schemes() -> Vec<SignatureScheme> {
    SHORT_KEY_SCHEMES.iter().map(|(scheme, _)| *scheme).collect()
}

/// Returns the length of the certificate's RSA key in bits, if it is too short for rustls.
pub(crate) fn short_key(certificate: &CertificateDer<'_>) -> Option<usize> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => Some(key.key_size()).filter(|bits| *bits < MIN_KEY_BITS),
        _ => None,
    }
}

/// True if the handshake was signed with the key of this certificate.
pub(crate) fn is_signed(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Ok((_, read)) = X509Certificate::from_der(certificate) else { return false };
    let key = read.public_key().subject_public_key.data.as_ref();
    if short_key(certificate).is_some() {
        return SHORT_KEY_SCHEMES.iter().any(|(scheme, parameters)| {
            *scheme == signature.scheme
                && UnparsedPublicKey::new(*parameters, key).verify(message, signature.signature()).is_ok()
        });
    }
    let schemes = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme);
    schemes
        .flat_map(|(_, algorithms)| *algorithms)
        .any(|algorithm| algorithm.verify_signature(key, message, signature.signature()).is_ok())
}
