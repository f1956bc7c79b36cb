//! Assertions are signed as servers require, with the server's time.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use mailhaul_mail::Secret;
use mailhaul_oauth::{ClientCertificate, ServiceAccount, TokenError, TokenSource};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wiremock::ResponseTemplate;

use crate::support::{Form, Server, given, pair, pkcs1, refused, text};

const SCOPE: &str = "https://outlook.office365.com/.default";

fn certificate(server: &Server, key: &str) -> ClientCertificate {
    let (key, id) = (Secret::new(key), "app-1".to_owned());
    ClientCertificate::new(server.endpoint(), id, &pair().certificate, &key, SCOPE.to_owned()).unwrap()
}

fn account(server: &Server) -> ServiceAccount {
    ServiceAccount::new(
        server.endpoint(),
        "mover@mail-1.iam.gserviceaccount.com".to_owned(),
        "1122334455".to_owned(),
        "77aa".to_owned(),
        &Secret::new(pair().key.as_str()),
        "https://mail.google.com/".to_owned(),
    )
    .unwrap()
}

/// Returns the claims after checking signature and audience.
fn verified(assertion: &str, algorithm: Algorithm, audience: &str) -> (Header, Value) {
    let key = DecodingKey::from_rsa_der(pair().signer.public_key_raw());
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation.validate_exp = false;
    let claims = decode::<Value>(assertion, &key, &validation).unwrap().claims;
    (decode_header(assertion).unwrap(), claims)
}

/// Issue time of an assertion that was not verified.
fn issued(form: &Form) -> i64 {
    let assertion = form.get("assertion").or_else(|| form.get("client_assertion")).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["iat"].as_i64().unwrap()
}

#[tokio::test]
async fn an_application_proves_itself_by_its_certificate() {
    let server = Server::start(|_, _| given("t", 3599)).await;
    for key in [pair().key.clone(), pkcs1(&pair().signer)] {
        let source = certificate(&server, &key);
        assert!(source.opens_every_mailbox());
        let token = source.ask("ann@example.org").await.unwrap();
        assert_eq!((text(&token.secret).as_str(), token.life.unwrap().as_secs()), ("t", 3599));
    }
    let forms = server.forms();
    assert_eq!(forms.len(), 2);
    let mut ids = Vec::new();
    for form in forms {
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!((form["client_id"].as_str(), form["scope"].as_str()), ("app-1", SCOPE));
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let (header, claims) = verified(&form["client_assertion"], Algorithm::PS256, &server.url());
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&pair().certificate_der));
        assert_eq!((header.x5t_s256, header.typ.as_deref()), (Some(digest), Some("JWT")));
        let digest = URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(&pair().certificate_der));
        assert_eq!(header.x5t, Some(digest));
        assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some("app-1"), Some("app-1")));
        let (now, time) = (Timestamp::now().as_second(), |name: &str| claims[name].as_i64().unwrap());
        assert!(time("nbf") <= now && time("iat") <= now && time("exp") > now);
        assert!(time("exp") - time("nbf") <= 600);
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_service_account_acts_for_each_user() {
    let server = Server::start(|_, number| given(&format!("t{number}"), 3599)).await;
    let source = account(&server);
    assert!(!source.opens_every_mailbox());
    for mailbox in ["ann@example.org", "bob@example.org"] {
        source.ask(mailbox).await.unwrap();
    }
    for (form, mailbox) in server.forms().iter().zip(["ann@example.org", "bob@example.org"]) {
        assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let (header, claims) = verified(&form["assertion"], Algorithm::RS256, &server.url());
        assert_eq!(header.kid.as_deref(), Some("77aa"));
        assert_eq!(claims["sub"], mailbox);
        assert_eq!(claims["iss"], "mover@mail-1.iam.gserviceaccount.com");
        assert_eq!(claims["scope"], "https://mail.google.com/");
    }
}

/// Answers like a server whose clock is ahead by `ahead` seconds and that accepts only assertions
/// of its own time.
fn strict(ahead: i64) -> impl Fn(&Form, usize) -> ResponseTemplate + Send + Sync {
    move |form, _| {
        let now = Timestamp::now().as_second() + ahead;
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&Timestamp::from_second(now).unwrap())
            .unwrap();
        // It accepts the last two minutes, which covers the running time of the test.
        let answer = if (now - 120..=now).contains(&issued(form)) {
            given("t", 3599)
        } else {
            refused("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)")
        };
        answer.insert_header("Date", date.as_str())
    }
}

#[tokio::test]
async fn an_assertion_is_signed_again_at_the_time_of_the_server() {
    for ahead in [300, -300, 0] {
        let server = Server::start(strict(ahead)).await;
        let (account, certificate) = (account(&server), certificate(&server, &pair().key));
        let first = if ahead == 0 { 1 } else { 2 };
        account.ask("ann@example.org").await.unwrap();
        assert_eq!(server.forms().len(), first);
        // The difference is remembered.
        account.ask("bob@example.org").await.unwrap();
        assert_eq!(server.forms().len(), first + 1);
        certificate.ask("ann@example.org").await.unwrap();
        assert_eq!(server.forms().len(), 2 * first + 1);
    }
}

#[tokio::test]
async fn a_refusal_says_how_far_the_clock_is_off() {
    let answer = |ahead: i64| {
        move |_: &Form, _| {
            let now = Timestamp::from_second(Timestamp::now().as_second() + ahead).unwrap();
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
            refused("invalid_client", "AADSTS700027: The certificate is not registered.")
                .insert_header("Date", date.as_str())
        }
    };
    let asked = async |ahead| -> (TokenError, usize) {
        let server = Server::start(answer(ahead)).await;
        let error = certificate(&server, &pair().key).ask("ann@example.org").await.unwrap_err();
        (error, server.forms().len())
    };
    let (behind, questions) = asked(330).await;
    assert!(
        behind.message.contains("This machine's clock is 5 minutes behind that of 127.0.0.1"),
        "{behind}"
    );
    assert_eq!(questions, 2);
    let (fine, questions) = asked(0).await;
    assert!(!fine.message.contains("clock") && fine.message.contains("Upload the certificate"), "{fine}");
    assert_eq!((questions, fine.code.as_deref()), (1, Some("invalid_client")));
}

#[tokio::test]
async fn a_delegation_that_others_use_is_missing_for_one_domain_alone() {
    let server = Server::start(|form, _| {
        let claims = URL_SAFE_NO_PAD.decode(form["assertion"].split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        if claims["sub"].as_str().unwrap().ends_with("@example.org") {
            return given("t", 3599);
        }
        refused("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.")
    })
    .await;
    let source = account(&server);
    let before = source.ask("ann@elsewhere.example").await.unwrap_err();
    assert!(before.concerns_all && before.message.contains("client ID 1122334455"), "{before}");
    source.ask("ann@example.org").await.unwrap();
    assert!(!source.ask("ann@elsewhere.example").await.unwrap_err().concerns_all);
}
