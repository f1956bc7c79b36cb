//! Certificates for servers of tests.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A server's certificate and the authority that signed it, as PEM files.
pub struct Certificate {
    directory: TempDir,
    sha256: String,
}

impl Certificate {
    /// A certificate for localhost and 127.0.0.1.
    pub fn valid() -> Self {
        Self::made(&["localhost", "127.0.0.1"], |_| {})
    }

    /// The same certificate, expired long ago.
    pub fn expired() -> Self {
        Self::made(&["localhost", "127.0.0.1"], |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// A certificate for another server.
    pub fn of_another() -> Self {
        Self::made(&["other.example.org"], |_| {})
    }

    fn made(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        // Without distinguished names, OpenSSL takes the certificate for self-signed.
        authority.distinguished_name.push(DnType::CommonName, "mailhaul test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names[0].as_str());
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        fs::write(directory.path().join("server.pem"), certificate.pem()).unwrap();
        fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        let sha256 = Sha256::digest(certificate.der())
            .iter()
            .fold(String::new(), |text, it| format!("{text}{it:02x}"));
        Self { directory, sha256 }
    }

    /// Path of the authority's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Path of the server's certificate.
    pub fn certificate_file(&self) -> PathBuf {
        self.directory.path().join("server.pem")
    }

    /// Path of the server's key.
    pub fn key_file(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    /// SHA-256 of the server's certificate, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
