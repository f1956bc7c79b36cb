//! Refresh tokens are replaced, and none is lost.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use mailhaul_mail::{Retry, Secret};
use mailhaul_oauth::{Keeping, RefreshToken, RefreshTokenKeeper, TokenSource as _, Tokens};
use serde_json::json;
use tokio::sync::Semaphore;
use wiremock::ResponseTemplate;

use crate::support::{Form, Server, given, refused, text};

/// Keeper that records tokens. It can fail or be delayed.
#[derive(Clone)]
struct Keeper {
    kept: Arc<Mutex<Vec<(String, String)>>>,
    fails: Arc<AtomicBool>,
    gate: Arc<Semaphore>,
}

impl Keeper {
    fn new() -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { kept: Arc::default(), fails: Arc::default(), gate }
    }

    fn kept(&self) -> Vec<(String, String)> {
        self.kept.lock().unwrap().clone()
    }
}

impl RefreshTokenKeeper for Keeper {
    fn keep<'a>(&'a self, before: &'a Secret, now: &'a Secret) -> Keeping<'a> {
        Box::pin(async move {
            let _open = self.gate.acquire().await.unwrap();
            if self.fails.load(Ordering::SeqCst) {
                return Err("the disk is full".to_owned());
            }
            self.kept.lock().unwrap().push((text(before), text(now)));
            Ok(())
        })
    }
}

/// Accepts each refresh token once, and returns the next one.
fn rotating(form: &Form, number: usize) -> ResponseTemplate {
    if form["refresh_token"] != format!("r{number}") {
        return refused("invalid_grant", "Token has been expired or revoked.");
    }
    let (access, refresh) = (format!("a{number}"), format!("r{}", number + 1));
    ResponseTemplate::new(200).set_body_json(
        json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh }),
    )
}

fn source(server: &Server, secret: Option<&str>, keeper: Keeper) -> RefreshToken {
    let (secret, scope) = (secret.map(Secret::new), "mail".to_owned());
    RefreshToken::new(server.endpoint(), "app-1".to_owned(), secret, scope, Secret::new("r0"), keeper)
}

#[tokio::test]
async fn a_token_that_replaces_another_is_kept_before_it_is_used() {
    let (server, keeper) = (Server::start(rotating).await, Keeper::new());
    let source = source(&server, Some("hush"), keeper.clone());
    for number in 0..3 {
        let token = source.ask("ann").await.unwrap();
        assert_eq!(text(&token.secret), format!("a{number}"));
        assert_eq!(keeper.kept().last().unwrap(), &(format!("r{number}"), format!("r{}", number + 1)));
    }
    let form = server.forms().remove(0);
    for (name, value) in [
        ("grant_type", "refresh_token"),
        ("client_id", "app-1"),
        ("client_secret", "hush"),
        ("scope", "mail"),
        ("refresh_token", "r0"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_kept_is_kept_first_of_all_when_it_can() {
    let (server, keeper) = (Server::start(rotating).await, Keeper::new());
    let source = source(&server, None, keeper.clone());
    keeper.fails.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let error = source.ask("ann").await.unwrap_err();
        assert!(error.message.ends_with("cannot be saved: the disk is full"), "{error}");
        assert!(matches!(error.retry, Retry::After(_)));
    }
    // No further token was asked for.
    assert_eq!(server.forms().len(), 1);
    keeper.fails.store(false, Ordering::SeqCst);
    assert_eq!(text(&source.ask("ann").await.unwrap().secret), "a1");
    let pair = |before: &str, now: &str| (before.to_owned(), now.to_owned());
    assert_eq!(keeper.kept(), [pair("r0", "r1"), pair("r1", "r2")]);
    assert!(!server.forms()[1].contains_key("client_secret"));
}

#[tokio::test]
async fn a_caller_may_be_cancelled_while_a_token_is_saved() {
    let (server, keeper) = (Server::start(rotating).await, Keeper::new());
    let all = keeper.gate.forget_permits(Semaphore::MAX_PERMITS);
    let tokens = Tokens::new(source(&server, None, keeper.clone()));
    let asker = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token("ann").await.map(drop) }
    });
    while server.forms().is_empty() {
        tokio::task::yield_now().await;
    }
    asker.abort();
    assert!(asker.await.unwrap_err().is_cancelled());
    keeper.gate.add_permits(all);
    assert_eq!(text(&tokens.token("bob").await.unwrap().secret), "a0");
    assert_eq!((server.forms().len(), keeper.kept().len()), (1, 1));
}

#[tokio::test]
async fn a_server_that_replaces_nothing_is_asked_with_the_same() {
    let server = Server::start(|_, _| given("a", 3600)).await;
    let keeper = Keeper::new();
    let source = source(&server, None, keeper.clone());
    for _ in 0..2 {
        source.ask("ann").await.unwrap();
    }
    assert!(keeper.kept().is_empty());
    assert!(server.forms().iter().all(|it| it["refresh_token"] == "r0"));
}
