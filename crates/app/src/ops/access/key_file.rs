//! Files with keys: an application's certificate with its private key, and the key of a service account.

use mailhaul_mail::Secret;
use mailhaul_operations::{Bytes, Failure};
use serde::Deserialize;
use zeroize::Zeroizing;

/// An application's certificate, and the key that proves it.
#[derive(Debug)]
pub(super) struct CertificateKey {
    /// In PEM.
    pub(super) certificate: String,
    /// In PEM.
    pub(super) private_key: Secret,
}

/// A service account of Google.
#[derive(Debug)]
pub(super) struct ServiceAccountKey {
    /// Its address.
    pub(super) email: String,
    /// The number of its key.
    pub(super) key_id: String,
    /// Its own number, to which rights are delegated.
    pub(super) client_id: String,
    /// In PEM.
    pub(super) private_key: Secret,
}

const AS_PEM: &str = "Give a file in PEM form with -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----; \
                      `openssl pkcs12 -in app.pfx -nodes -out app.pem` makes one of a PFX file.";

/// Certificate and key of a file in PEM (RFC 7468).
pub(super) fn certificate(file: &Bytes) -> Result<CertificateKey, Failure> {
    let wrong = |why: &str| Failure::invalid(format_args!("CertificateFile: {why}")).with_advice(AS_PEM);
    let pem = std::str::from_utf8(file).map_err(|_| wrong("the file is not in PEM form"))?;
    let block = |label: &str| {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        let from = pem.find(&begin)?;
        let length = pem[from..].find(&end)? + end.len();
        Some(&pem[from..from + length])
    };
    if block("ENCRYPTED PRIVATE KEY").is_some() || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(wrong("the private key is encrypted"));
    }
    let certificate = block("CERTIFICATE").ok_or_else(|| wrong("there is no certificate in the file"))?;
    let key = ["PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().find_map(block);
    let key = key.ok_or_else(|| wrong("there is no private key in the file"))?;
    Ok(CertificateKey {
        certificate: format!("{certificate}\n"),
        private_key: Secret::new(format!("{key}\n")),
    })
}

/// What a key file of Google has that matters.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    client_id: String,
    private_key_id: String,
    private_key: String,
}

/// The key in a file of JSON, as Google's console gives it.
pub(super) fn service_account(file: &Bytes) -> Result<ServiceAccountKey, Failure> {
    let wrong = |why: &str| {
        Failure::invalid(format_args!("ServiceAccountKeyFileData: {why}")).with_advice(
            "Give the JSON file that the Google Cloud console gives for a new key of the service account (Keys > Add key > JSON).",
        )
    };
    // What does not fit is never shown: the key may be in it.
    let key: KeyFile =
        serde_json::from_slice(file).map_err(|_| wrong("the file is no key of a service account"))?;
    let private_key = Zeroizing::new(key.private_key);
    if key.kind != "service_account" {
        return Err(wrong("the file is the key of something else than a service account"));
    }
    if !private_key.contains("-----BEGIN PRIVATE KEY-----") {
        return Err(wrong("there is no private key in the file"));
    }
    Ok(ServiceAccountKey {
        email: key.client_email,
        key_id: key.private_key_id,
        client_id: key.client_id,
        private_key: Secret::new(private_key.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";

    #[test]
    fn certificate_and_key_are_found_in_any_order() {
        for file in [format!("{CERTIFICATE}{KEY}"), format!("Bag Attributes\n{KEY}issuer=x\n{CERTIFICATE}")] {
            let found = certificate(&Bytes::new(file)).unwrap();
            assert_eq!(
                (found.certificate.as_str(), found.private_key.expose()),
                (CERTIFICATE, KEY.as_bytes())
            );
            assert!(!format!("{found:?}").contains("MIIE"));
        }
        for (file, words) in [
            (String::new(), "no certificate"),
            (CERTIFICATE.to_owned(), "no private key"),
            (KEY.to_owned(), "no certificate"),
            (CERTIFICATE.to_owned() + &KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"), "is encrypted"),
        ] {
            let failure = certificate(&Bytes::new(file)).unwrap_err();
            assert!(failure.message.contains(words), "{failure}");
        }
        let failure = certificate(&Bytes::new([0x30, 0x82, 0xFF])).unwrap_err();
        assert!(failure.message.contains("not in PEM") && failure.advice.unwrap().contains("pkcs12"));
    }

    #[test]
    fn the_key_of_a_service_account_is_read() {
        let right = json!({
            "type": "service_account", "project_id": "p", "private_key_id": "k1", "private_key": KEY,
            "client_email": "haul@p.iam.gserviceaccount.com", "client_id": "1234",
        });
        let key = service_account(&Bytes::new(right.to_string())).unwrap();
        assert_eq!(
            (key.email.as_str(), key.key_id.as_str(), key.client_id.as_str()),
            ("haul@p.iam.gserviceaccount.com", "k1", "1234")
        );
        assert_eq!(key.private_key.expose(), KEY.as_bytes());
        for (name, value, words) in [
            ("type", json!("authorized_user"), "something else"),
            ("private_key", json!("hunter2"), "no private key"),
            ("private_key", json!({ "hunter2": 1 }), "no key of a service account"),
            ("client_email", json!(null), "no key of a service account"),
        ] {
            let mut wrong = right.clone();
            wrong[name] = value;
            let failure = service_account(&Bytes::new(wrong.to_string())).unwrap_err();
            assert!(
                failure.message.contains(words) && !format!("{failure:?}").contains("hunter2"),
                "{failure:?}"
            );
        }
        assert!(service_account(&Bytes::new("hunter2")).is_err());
    }
}
