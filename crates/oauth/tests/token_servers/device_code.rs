//! Sign-in on another device.

use mailhaul_mail::Secret;
use mailhaul_oauth::{DeviceLogin, SignedIn, TokenError};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Form, Server, given, refused, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn code(life: u64) -> Value {
    json!({
        "device_code": "d3vice", "user_code": "ABCD-EFGH", "verification_uri": "https://id.example.org/device",
        "expires_in": life, "interval": 1,
    })
}

fn tokens() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(
        json!({ "access_token": "a0", "token_type": "Bearer", "expires_in": 60, "refresh_token": "r0" }),
    )
}

/// Signs in at a server with these answers; returns the number of polls.
async fn sign_in(
    life: u64,
    answer: impl Fn(usize) -> ResponseTemplate + Send + Sync + 'static,
) -> (Result<SignedIn, TokenError>, usize) {
    let server = Server::start(move |form: &Form, number| {
        if form.get("grant_type").is_none() {
            assert_eq!(
                (form["client_id"].as_str(), form["scope"].as_str()),
                ("app-1", "mail offline_access")
            );
            return ResponseTemplate::new(200).set_body_json(code(life));
        }
        assert_eq!((form["grant_type"].as_str(), form["device_code"].as_str()), (GRANT, "d3vice"));
        answer(number - 1)
    })
    .await;
    let login = DeviceLogin {
        endpoint: server.endpoint(),
        device_url: server.address(),
        client_id: "app-1".to_owned(),
        client_secret: Some(Secret::new("hush")),
        scope: "mail offline_access".to_owned(),
    };
    let code = login.start().await.unwrap();
    assert_eq!(
        (code.address.as_str(), code.user_code.as_str()),
        ("https://id.example.org/device", "ABCD-EFGH")
    );
    assert!(!format!("{code:?} {login:?}").contains("d3vice"));
    let outcome = login.wait(&code).await;
    (outcome, server.forms().len() - 1)
}

#[tokio::test]
async fn the_sign_in_of_a_user_is_awaited() {
    let (outcome, asked) = sign_in(900, |number| match number {
        0 => refused("authorization_pending", "AADSTS70016: pending"),
        1 => ResponseTemplate::new(503),
        _ => tokens(),
    })
    .await;
    assert_eq!((text(&outcome.unwrap().refresh_token).as_str(), asked), ("r0", 3));
}

#[tokio::test]
async fn a_server_that_wants_to_be_asked_less_often_is() {
    // After `slow_down` the interval is six seconds; the code expires first.
    let (outcome, asked) = sign_in(5, |_| refused("slow_down", "")).await;
    assert_eq!(outcome.unwrap_err().message, "the code expired before the sign-in; start again");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_failed_sign_in_gives_the_reason() {
    for (answer, words) in [
        (refused("access_denied", ""), "was declined"),
        (refused("authorization_declined", ""), "was declined"),
        (refused("expired_token", "AADSTS70020: x"), "the code expired"),
        (refused("invalid_client", "AADSTS7000218: x"), "Allow public client flows"),
        (given("a0", 60), "offline_access"),
    ] {
        let (outcome, asked) = sign_in(900, move |_| answer.clone()).await;
        let error = outcome.unwrap_err();
        assert!(error.message.contains(words), "{words}: {error}");
        assert_eq!(asked, 1);
    }
}

#[tokio::test]
async fn what_is_no_code_is_told() {
    let server = Server::start(|_, number| match number {
        0 => ResponseTemplate::new(200).set_body_string("<html>s3cret"),
        _ => refused("unauthorized_client", "AADSTS700016: no application"),
    })
    .await;
    let login = DeviceLogin {
        endpoint: server.endpoint(),
        device_url: server.address(),
        client_id: "app-1".to_owned(),
        client_secret: None,
        scope: String::new(),
    };
    let error = login.start().await.unwrap_err();
    assert_eq!(error.message, "127.0.0.1 sent an answer without a code");
    assert!(login.start().await.unwrap_err().message.contains("The organisation has no application app-1"));
}
