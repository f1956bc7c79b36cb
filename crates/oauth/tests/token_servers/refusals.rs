//! Refusals of a token server, and its delays.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_mail::{Retry, Secret};
use mailhaul_oauth::{ClientSecret, Token, TokenEndpoint, TokenError, TokenSource as _, TokenUrl};
use serde_json::json;
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::support::{Server, given, refused};

async fn asked(answer: ResponseTemplate) -> Result<Token, TokenError> {
    let server = Server::start(move |form, _| {
        assert_eq!(form["client_secret"], "hunter2-secret");
        answer.clone()
    })
    .await;
    let source = ClientSecret {
        endpoint: server.endpoint(),
        client_id: "app-1".to_owned(),
        secret: Secret::new("hunter2-secret"),
        scope: "mail".to_owned(),
    };
    source.ask("ann@example.org").await
}

async fn error(answer: ResponseTemplate) -> TokenError {
    asked(answer).await.unwrap_err()
}

#[tokio::test]
async fn a_server_that_is_busy_says_until_when() {
    let busy = |status| ResponseTemplate::new(status);
    assert_eq!(error(busy(503)).await.retry, Retry::After(None));
    let seconds = error(busy(429).insert_header("Retry-After", "30")).await;
    assert_eq!(seconds.retry, Retry::After(Some(Duration::from_secs(30))));
    assert_eq!(seconds.message, "127.0.0.1 cannot issue a token now (429 Too Many Requests)");
    // The maximum is a day.
    let forever = error(busy(429).insert_header("Retry-After", u64::MAX.to_string().as_str())).await;
    assert_eq!(forever.retry, Retry::After(Some(Duration::from_hours(24))));
    // By the server's clock.
    let until = busy(503)
        .insert_header("Date", "Tue, 15 Nov 1994 08:12:31 GMT")
        .insert_header("Retry-After", "Tue, 15 Nov 1994 08:13:01 GMT");
    assert_eq!(error(until).await.retry, Retry::After(Some(Duration::from_secs(30))));
}

#[tokio::test]
async fn a_refusal_is_told_without_the_secret_and_with_advice() {
    let echo = "AADSTS7000215: Invalid client secret 'hunter2-secret' provided.\r\nTrace ID: 5";
    let told = error(refused("invalid_client", echo)).await;
    assert_eq!(
        (told.retry, told.concerns_all, told.code.as_deref()),
        (Retry::Never, true, Some("invalid_client"))
    );
    assert!(told.message.contains("Invalid client secret '[redacted]' provided). Make a new"), "{told}");
    // In every form in which the server may echo it.
    for form in [
        "HUNTER2-SECRET",
        "aHVudGVyMi1zZWNyZXQ=",
        "68756e746572322d736563726574",
        "hunter2%2Dsecret",
        "terces-2retnuh",
    ] {
        let told = error(refused(&format!("bad_{form}"), &format!("no {form} here"))).await;
        assert!(!told.message.contains(form) && told.message.contains("no [redacted] here"), "{told}");
    }
    for (answer, words) in [
        (
            ResponseTemplate::new(404).set_body_string("<html>"),
            "127.0.0.1 refused to issue a token (404 Not Found)",
        ),
        (
            ResponseTemplate::new(302).insert_header("Location", "http://127.0.0.1:1/"),
            "127.0.0.1 refused to issue a token (302 Found)",
        ),
        (ResponseTemplate::new(200).set_body_string("hunter2"), "127.0.0.1 sent an answer without a token"),
        (given("", 5), "127.0.0.1 sent an empty token"),
        (
            ResponseTemplate::new(200).set_body_bytes(vec![b' '; 2 << 20]),
            "the answer of 127.0.0.1 does not end",
        ),
    ] {
        assert_eq!(error(answer).await.message, words);
    }
}

#[tokio::test]
async fn a_life_is_counted_from_when_the_token_was_given() {
    // By `expires_in`, not by the token's `exp`, which another clock set.
    let long_ago = Timestamp::now().as_second() - 9999;
    let body = json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 60, "exp": long_ago });
    let token = asked(ResponseTemplate::new(200).set_body_json(body)).await.unwrap();
    assert_eq!(token.life, Some(Duration::from_mins(1)));
    let forever = asked(given("t", u64::MAX)).await.unwrap();
    assert_eq!(forever.life, Some(Duration::from_hours(24 * 365)));
}

#[tokio::test]
async fn a_server_that_hangs_up_is_asked_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let source = ClientSecret {
        endpoint: TokenEndpoint::new(TokenUrl::parse(&url).unwrap()).unwrap(),
        client_id: String::new(),
        secret: Secret::new("hunter2-secret"),
        scope: String::new(),
    };
    let error = source.ask("ann").await.unwrap_err();
    assert!(error.message.starts_with("127.0.0.1 cannot be reached for a token: "), "{error}");
    assert_eq!((error.retry, error.concerns_all), (Retry::After(None), true));
    assert!(!error.message.contains("hunter2"), "{error}");
}
