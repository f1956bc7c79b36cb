//! A token server whose answers tests choose, and keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
};

use mailhaul_mail::Secret;
use mailhaul_oauth::{TokenEndpoint, TokenUrl};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

pub(crate) type Form = HashMap<String, String>;

pub(crate) struct Server {
    http: MockServer,
    forms: Arc<Mutex<Vec<Form>>>,
}

impl Server {
    /// Answers each request by this function.
    pub(crate) async fn start(
        answer: impl Fn(&Form, usize) -> ResponseTemplate + Send + Sync + 'static,
    ) -> Self {
        let http = MockServer::start().await;
        let forms: Arc<Mutex<Vec<Form>>> = Arc::default();
        let asked = Arc::clone(&forms);
        let respond = move |request: &Request| {
            let form: Form = url::form_urlencoded::parse(&request.body).into_owned().collect();
            let mut asked = asked.lock().unwrap();
            asked.push(form.clone());
            answer(&form, asked.len() - 1)
        };
        Mock::given(method("POST")).respond_with(respond).mount(&http).await;
        Self { http, forms }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/token", self.http.uri())
    }

    pub(crate) fn address(&self) -> TokenUrl {
        TokenUrl::parse(&self.url()).unwrap()
    }

    pub(crate) fn endpoint(&self) -> TokenEndpoint {
        TokenEndpoint::new(self.address()).unwrap()
    }

    /// Forms received so far.
    pub(crate) fn forms(&self) -> Vec<Form> {
        self.forms.lock().unwrap().clone()
    }
}

pub(crate) fn given(token: &str, life: u64) -> ResponseTemplate {
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": life });
    ResponseTemplate::new(200).set_body_json(body)
}

pub(crate) fn refused(code: &str, words: &str) -> ResponseTemplate {
    let body: Value = json!({ "error": code, "error_description": words });
    ResponseTemplate::new(400).set_body_json(body)
}

pub(crate) fn text(secret: &Secret) -> String {
    String::from_utf8(secret.expose().to_vec()).unwrap()
}

/// Certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) certificate_der: Vec<u8>,
    pub(crate) key: String,
    pub(crate) signer: KeyPair,
}

/// Generated once, because it takes a while.
pub(crate) fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(make)
}

/// Another pair.
pub(crate) fn other_pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(make)
}

fn make() -> Pair {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let mut params = CertificateParams::new(["mailhaul.example.org".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2100, 1, 1);
    let certificate = params.self_signed(&pair).unwrap();
    Pair {
        certificate: certificate.pem(),
        certificate_der: certificate.der().to_vec(),
        key: pair.serialize_pem(),
        signer: pair,
    }
}

/// The same key as PKCS#1, as older programs write it.
pub(crate) fn pkcs1(pair: &KeyPair) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    // Version, algorithm, and key.
    let pkcs8 = pair.serialize_der();
    let inner = pkcs8.windows(2).enumerate().filter(|(_, it)| *it == [0x30, 0x82]).nth(1).unwrap().0;
    let encoded = STANDARD.encode(&pkcs8[inner..]);
    let lines: Vec<&str> = encoded.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap()).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"))
}

/// Key file as Google issues it.
pub(crate) fn key_file(token_url: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "mail-1",
        "private_key_id": "77aa",
        "private_key": pair().key,
        "client_email": "mover@mail-1.iam.gserviceaccount.com",
        "client_id": "1122334455",
        "token_uri": token_url,
    })
}
