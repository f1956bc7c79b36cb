//! Changes that expect a revision.

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response},
};
use jiff::Timestamp;
use mailhaul_operations::{Caller, FailureKind::Conflict, Role, Service};
use mailhaul_store::AuditEntry;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;

use super::support::{Audit, Desk};

async fn send(desk: &Desk, method: &str, path: &str, header: (&str, &str), body: Value) -> Response<Body> {
    let service =
        Service::new(desk.operations.clone(), desk.context.clone(), Arc::new(Audit::default()), "0");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut request =
        Request::builder().method(method).uri(path).header(header.0, header.1).body(body).unwrap();
    let caller = Caller { name: "ada".to_owned(), role: Role::Admin, is_local: true };
    request.extensions_mut().insert(caller);
    Arc::new(service).router().oneshot(request).await.unwrap()
}

async fn json_of(response: Response<Body>) -> Value {
    serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_change_of_another_revision_is_refused_with_both_values() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["ann"], json!({})).await;
    for (noun, identity, change, other) in [
        ("MigrationBatch", Some("B"), json!({ "MaxItems": 5 }), json!({ "MaxItems": 6 })),
        (
            "MigrationEndpoint",
            Some("Old"),
            json!({ "Port": 5, "SkipVerification": true }),
            json!({ "Port": 6, "SkipVerification": true }),
        ),
        ("MigrationConfig", None, json!({ "MaxNumberOfBatches": 5 }), json!({ "MaxNumberOfBatches": 6 })),
    ] {
        let request = |more: &Value, revision: Option<&str>| {
            let mut request = more.clone();
            if let Some(identity) = identity {
                request["Identity"] = json!(identity);
            }
            if let Some(revision) = revision {
                request["IfRevision"] = json!(revision);
            }
            request
        };
        let (get, set) = (format!("Get-{noun}"), format!("Set-{noun}"));
        let read = desk.one(&get, request(&json!({}), None)).await;
        let revision = read["Revision"].as_str().unwrap();
        let after = desk.one(&set, request(&change, Some(revision))).await;
        assert_ne!(after["Revision"], read["Revision"], "{noun}");
        let entry = AuditEntry {
            time: Timestamp::UNIX_EPOCH,
            who: "grace".to_owned(),
            operation: set.clone(),
            identity: identity.unwrap_or_default().to_ascii_lowercase(),
            outcome: "Done".to_owned(),
        };
        desk.context.store.audit().append(entry).await.unwrap();
        let refusal = desk.call(&set, request(&other, Some(revision))).await.unwrap_err();
        assert_eq!((refusal.kind, refusal.status()), (Conflict, 412), "{noun}");
        assert!(refusal.message.contains("grace changed it at 1970-01-01T00:00:00Z"), "{refusal}");
        let told = refusal.change.unwrap();
        assert_eq!(told.revision, after["Revision"], "{noun}");
        let name = change.as_object().unwrap().keys().next().unwrap();
        assert_eq!(
            told.values,
            [json!({ "Parameter": name, "Given": other[name], "Current": change[name] })],
            "{noun}"
        );
        // Nothing was changed, and without a condition the last change wins as before.
        assert_eq!(desk.one(&get, request(&json!({}), None)).await["Revision"], after["Revision"], "{noun}");
        desk.one(&set, request(&other, None)).await;
    }
}

#[tokio::test]
async fn progress_changes_the_tag_and_not_the_revision() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["ann"], json!({ "AutoStart": true })).await;
    let path = "/api/v1/batches/B";
    let first = send(&desk, "GET", path, ("accept", "*/*"), Value::Null).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let same = send(&desk, "GET", path, ("if-none-match", &tag), Value::Null).await;
    assert_eq!((same.status().as_u16(), same.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    desk.pass(mailhaul_migration::UserEvent::Synced).await;
    let moved = send(&desk, "GET", path, ("if-none-match", &tag), Value::Null).await;
    assert_eq!(moved.status(), 200);
    assert_ne!(moved.headers()["etag"].to_str().unwrap(), tag);
    let changed = send(&desk, "PATCH", path, ("if-match", &tag), json!({ "MaxItems": 5 })).await;
    assert_eq!(changed.status(), 200);
    let refused = send(&desk, "PATCH", path, ("if-match", &tag), json!({ "MaxItems": 6 })).await;
    assert_eq!(refused.status(), 412);
    assert_eq!(json_of(refused).await["Error"]["Code"], "Conflict");
    for (method, path, tag) in [("PATCH", path, "\"a\", \"b\""), ("POST", "/api/v1/batches/B/start", "\"a\"")]
    {
        let refused = send(&desk, method, path, ("if-match", tag), json!({})).await;
        assert_eq!(refused.status(), 422, "{method} {path}");
    }
}
