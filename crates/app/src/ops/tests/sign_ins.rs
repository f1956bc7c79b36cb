//! Signing in at an endpoint on another device.

use mailhaul_operations::{Failure, FailureKind};
use mailhaul_store::SecretName;
use mailhaul_testkit::TokenServer;
use serde_json::{Value, json};

use super::support::Desk;

async fn endpoint(desk: &Desk, server: &TokenServer) {
    let request = json!({
        "Name": "Ann", "RemoteServer": "127.0.0.1", "SkipVerification": true, "TokenUrl": server.token_url(),
        "DeviceUrl": server.device_url(), "ApplicationId": TokenServer::ON_DEVICES,
        "Scope": TokenServer::PERSON_SCOPE,
    });
    desk.one("New-MigrationEndpoint", request).await;
}

/// Signs in, and lets a person answer the code.
async fn sign_in(desk: &Desk, answer: impl Fn(&str)) -> (Vec<Value>, Result<Vec<Value>, Failure>) {
    let mut steps = Vec::new();
    let on_step = |step: &Value| {
        if let Some(code) = step["UserCode"].as_str() {
            tokio::task::block_in_place(|| answer(code));
        }
        steps.push(step.clone());
    };
    let entry = desk.operations.entry("New-MigrationEndpointSignIn").unwrap();
    let ended = desk.client.call_in_steps(entry, json!({ "Identity": "Ann" }), on_step).await;
    (steps, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_shows_its_code_and_keeps_the_token_sealed() {
    let (desk, server) = (Desk::new().await, TokenServer::start());
    endpoint(&desk, &server).await;
    let guid = desk.context.store.endpoints().get("Ann").await.unwrap().guid;
    let secret = async || desk.context.store.secrets().get(guid, SecretName::TokenSecret).await.unwrap();
    assert!(secret().await.is_none());
    // A caller that cannot see the code is told so.
    let failure = desk.call("New-MigrationEndpointSignIn", json!({ "Identity": "Ann" })).await.unwrap_err();
    assert!(failure.advice.unwrap().contains("application/x-ndjson"));

    let (steps, ended) = sign_in(&desk, |code| server.allow(code, "ann")).await;
    let results = ended.unwrap();
    assert_eq!((results.len(), &results[0]["Identity"]), (1, &json!("Ann")));
    let names: Vec<_> = steps.iter().map(|step| step["Step"].as_str().unwrap()).collect();
    assert_eq!(names, ["Code", "Sign in", "Save"]);
    assert!(steps[0]["VerificationUrl"].as_str().unwrap().starts_with("http"), "{}", steps[0]);
    assert!(steps[0]["ExpiresAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() > desk.context.now());
    let kept = secret().await.unwrap();
    assert!(server.secrets().iter().any(|known| known.as_bytes() == kept.expose()), "the server gave it");
    let shown = json!([steps, results]).to_string();
    assert!(server.secrets().iter().all(|known| !shown.contains(known.as_str())), "{shown}");
    assert!(
        desk.audit.0.lock().unwrap().iter().any(|record| record.operation == "New-MigrationEndpointSignIn")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_sign_in_changes_nothing() {
    let (desk, server) = (Desk::new().await, TokenServer::start());
    endpoint(&desk, &server).await;
    let before = desk.context.store.endpoints().get("Ann").await.unwrap();
    let (steps, ended) = sign_in(&desk, |code| server.deny(code, "ann")).await;
    let failure = ended.unwrap_err();
    assert_eq!((steps.len(), failure.kind), (1, FailureKind::Invalid), "{failure:?}");
    assert!(failure.message.contains("was declined"), "{failure}");
    assert_eq!(desk.context.store.endpoints().get("Ann").await.unwrap(), before);
}
