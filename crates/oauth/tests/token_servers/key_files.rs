//! Key files, and files that administrators confuse with them.

use jiff::Timestamp;
use mailhaul_oauth::{CertificateFile, ServiceAccountKey};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::support::{key_file, other_pair, pair, pkcs1, text};

fn parse(pem: &str) -> Result<CertificateFile, String> {
    CertificateFile::parse(pem.as_bytes(), Timestamp::now())
}

#[test]
fn one_file_has_certificate_and_key() {
    let (own, other) = (pair(), other_pair());
    let pkcs1 = pkcs1(&own.signer);
    for pem in [
        format!("{}{}", own.certificate, own.key),
        format!("Bag Attributes\n    friendlyName: x\n{}\n\n{}\n", own.key, own.certificate),
        format!("{pkcs1}{}{}", other.certificate, own.certificate),
        format!("{}{pkcs1}", own.certificate).replace('\n', "\r\n"),
    ] {
        let file = parse(&pem).unwrap();
        assert_eq!(file.certificate, own.certificate.replace("\r\n", "\n"), "{pem}");
        let key = text(&file.private_key);
        let kind = if pem.contains("RSA PRIVATE") { pkcs1.as_str() } else { own.key.as_str() };
        assert_eq!(key, kind.replace("\r\n", "\n"));
    }
}

#[test]
fn what_is_wrong_with_a_certificate_file_is_told() {
    let (own, other) = (pair(), other_pair());
    let elliptic = KeyPair::generate().unwrap();
    let elliptic_certificate = CertificateParams::new([]).unwrap().self_signed(&elliptic).unwrap().pem();
    let mut params = CertificateParams::new([]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    let ended = params.self_signed(&own.signer).unwrap().pem();
    let mut params = CertificateParams::new([]).unwrap();
    params.not_before = rcgen::date_time_ymd(2099, 1, 2);
    params.not_after = rcgen::date_time_ymd(2100, 1, 2);
    let early = params.self_signed(&own.signer).unwrap().pem();
    let encrypted = own.key.replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE");
    for (pem, words) in [
        (String::new(), "contains neither a certificate nor a private key"),
        ("hello".to_owned(), "contains neither a certificate nor a private key"),
        (own.certificate.clone(), "contains no private key"),
        (own.key.clone(), "contains no certificate"),
        (format!("{}{}", own.certificate, other.key), "belongs to another certificate"),
        (format!("{}{}{}", own.certificate, own.key, other.key), "several private keys"),
        (format!("{}{encrypted}", own.certificate), "has a passphrase"),
        (format!("{elliptic_certificate}{}", elliptic.serialize_pem()), "is not an RSA key"),
        (format!("{ended}{}", own.key), "the certificate expired on 2020-01-02T00:00:00Z"),
        (format!("{early}{}", own.key), "is not valid before 2099-01-02T00:00:00Z"),
        (format!("{}{}", own.certificate, own.key.replace("MII", "A!!")), "cannot be read as PEM"),
        (format!("{}{}", own.certificate, own.key.replace("MII", "AII")), "the private key cannot be read"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned() + &own.key,
            "a certificate in the file cannot be read",
        ),
    ] {
        let told = parse(&pem).unwrap_err();
        assert!(told.contains(words), "{words}: {told}");
    }
    let pfx = CertificateFile::parse(&[0x30, 0x82, 0x0a, 0x26, 0x02, 0x01], Timestamp::now()).unwrap_err();
    assert!(pfx.contains("openssl pkcs12"), "{pfx}");
}

#[test]
fn a_key_file_of_google_is_read() {
    let file = key_file("https://oauth2.googleapis.com/token").to_string();
    let key = ServiceAccountKey::parse(file.as_bytes()).unwrap();
    assert_eq!(
        (key.email.as_str(), key.client_id.as_str(), key.key_id.as_str(), key.token_url.as_str()),
        ("mover@mail-1.iam.gserviceaccount.com", "1122334455", "77aa", "https://oauth2.googleapis.com/token")
    );
    assert_eq!(text(&key.private_key), pair().key.trim());
}

#[test]
fn what_is_wrong_with_a_key_file_is_told_without_the_key() {
    let with = |name: &str, value: Value| {
        let mut file = key_file("https://oauth2.googleapis.com/token");
        file[name] = value;
        file.to_string()
    };
    let whole = with("type", json!("service_account"));
    for (file, words) in [
        (String::new(), "invalid JSON in line 1"),
        (whole[..whole.len() / 2].to_owned(), "invalid JSON in line"),
        (pair().key.clone(), "invalid JSON in line"),
        (json!({ "installed": { "client_secret": "s3cret" } }).to_string(), "the client of an application"),
        (with("type", json!("authorized_user")), "the sign-in of a user"),
        (with("type", json!(5)), "its \"type\" is another"),
        (json!([]).to_string(), "its \"type\" is another"),
        (with("client_email", Value::Null), "the key file lacks \"client_email\""),
        (with("client_id", json!(" ")), "the key file lacks \"client_id\""),
        (with("private_key", json!(7)), "the key file lacks \"private_key\""),
        (
            with("private_key", json!("MIIEvQIBADANBgkq")),
            "\"private_key\" of the key file: the file contains no private key",
        ),
        (
            with("token_uri", json!("http://elsewhere.example/")),
            "\"token_uri\" of the key file: it must begin with https",
        ),
    ] {
        let told = ServiceAccountKey::parse(file.as_bytes()).unwrap_err();
        assert!(told.contains(words), "{words}: {told}");
        assert!(!told.contains("s3cret") && !told.contains("MII"), "{told}");
    }
}
