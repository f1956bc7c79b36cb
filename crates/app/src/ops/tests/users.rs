//! Users: Get-, Set-, Start-, Stop-, Remove-MigrationUser.

use mailhaul_migration::{UserEvent, UserStatus};
use mailhaul_operations::FailureKind::{Conflict, Invalid, NotFound};
use mailhaul_store::{Due, SecretName, Users};
use serde_json::{Value, json};

use super::support::{Desk, base64, csv};

const A: &str = "a@example.org";

fn identity() -> Value {
    json!({ "Identity": "A@EXAMPLE.ORG" })
}

/// The user a of the batch B, brought to this status by ordinary events.
async fn in_state(status: UserStatus) -> Desk {
    use UserEvent::{Failed, Synced, SyncedWithSkippedItems};
    use UserStatus as S;
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b"], json!({ "AutoStart": true })).await;
    let guid = desk.context.store.users().get(A, None).await.unwrap().guid;
    let happens = async |event| {
        let now = desk.context.now();
        desk.context.store.jobs().apply(Users::One(guid), event, now, Due::At(now)).await.unwrap();
    };
    match status {
        S::Queued => {}
        S::Validating => _ = desk.claim().await,
        S::Syncing => {
            for claimed in desk.claim().await {
                let now = desk.context.now();
                desk.context.store.jobs().advance(&claimed.lease, UserEvent::Validated, now).await.unwrap();
            }
        }
        S::Synced => desk.pass(Synced).await,
        S::IncrementalSyncing => {
            desk.pass(Synced).await;
            desk.claim().await;
        }
        S::IncrementalFailed => {
            desk.pass(Synced).await;
            desk.pass(Failed).await;
        }
        S::IncrementalStopped => {
            desk.pass(Synced).await;
            happens(UserEvent::Stop).await;
        }
        S::Stopping => {
            desk.claim().await;
            happens(UserEvent::Stop).await;
        }
        S::Stopped => happens(UserEvent::Stop).await,
        S::Failed => desk.pass(Failed).await,
        S::Completing | S::CompletionFailed | S::Completed | S::CompletedWithWarnings => {
            desk.pass(Synced).await;
            happens(UserEvent::Complete).await;
            match status {
                S::CompletionFailed => desk.pass(Failed).await,
                S::Completed => desk.pass(Synced).await,
                S::CompletedWithWarnings => desk.pass(SyncedWithSkippedItems).await,
                _ => {}
            }
        }
    }
    assert_eq!(desk.user_status(A).await, status.to_string());
    desk
}

/// Status after Start and after Stop, or the words of the refusal.
fn expected(status: UserStatus) -> [Result<UserStatus, &'static str>; 2] {
    use UserStatus as S;
    let runs = Err("It is running");
    let over = Err("It is not running");
    let stopped = Err("Nothing needs to be done");
    match status {
        S::Queued => [runs, Ok(S::Stopped)],
        S::Validating | S::Syncing | S::IncrementalSyncing => [runs, Ok(S::Stopping)],
        // No worker has it yet, so it stops immediately.
        S::Completing => [runs, Ok(S::IncrementalStopped)],
        S::Synced => [Err("It is synced"), Ok(S::IncrementalStopped)],
        S::IncrementalFailed => [Ok(S::Synced), Ok(S::IncrementalStopped)],
        S::IncrementalStopped => [Ok(S::Synced), stopped],
        S::Stopping => [Err("Wait until its status is Stopped"), stopped],
        S::Stopped => [Ok(S::Queued), stopped],
        S::CompletionFailed => [Ok(S::Completing), Ok(S::IncrementalStopped)],
        S::Completed => [Err("It is completed"), over],
        S::CompletedWithWarnings => [Ok(S::Completing), over],
        S::Failed => [Ok(S::Queued), over],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_in_every_state() {
    use strum::VariantArray as _;
    for status in UserStatus::VARIANTS {
        for (cmdlet, outcome) in
            ["Start-MigrationUser", "Stop-MigrationUser"].into_iter().zip(expected(*status))
        {
            let desk = in_state(*status).await;
            match outcome {
                Ok(next) => {
                    let shown = desk.one(cmdlet, identity()).await;
                    assert_eq!(shown["Status"], next.to_string(), "{status}: {cmdlet}");
                }
                Err(words) => {
                    desk.refused(cmdlet, identity(), Conflict, words).await;
                    assert_eq!(desk.user_status(A).await, status.to_string(), "{status}: {cmdlet}");
                }
            }
        }
        let desk = in_state(*status).await;
        assert_eq!(desk.call("Remove-MigrationUser", identity()).await, Ok(Vec::new()), "{status}");
        desk.refused("Get-MigrationUser", identity(), NotFound, "could not be found").await;
        assert_eq!(desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await["TotalCount"], 1);
    }
}

#[tokio::test]
async fn one_user_can_be_tried_before_the_others() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b"], json!({})).await;
    desk.one("Start-MigrationUser", identity()).await;
    assert_eq!(desk.claim().await.len(), 1);
    assert_eq!(desk.user_status("b@example.org").await, "Stopped");
    assert_eq!(desk.status("B").await, "Syncing");
    desk.one("Start-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!(desk.user_status("b@example.org").await, "Queued");
}

#[tokio::test]
async fn users_are_found_by_what_they_are() {
    let desk = Desk::with_endpoint().await;
    desk.batch("First", &["a", "b"], json!({ "AutoStart": true })).await;
    desk.batch("Second", &["c"], json!({})).await;
    let claimed = desk.claim().await;
    desk.ends(&claimed[0], UserEvent::Failed).await;
    let guid = desk.one("Get-MigrationUser", identity()).await["Guid"].clone();
    for (request, found) in [
        (json!({}), &["a", "b", "c"][..]),
        (json!({ "BatchId": "first" }), &["a", "b"]),
        (json!({ "Status": "failed" }), &["a"]),
        (json!({ "StatusSummary": "Active" }), &["b"]),
        (json!({ "StatusSummary": "Stopped", "BatchId": "First" }), &[]),
        (json!({ "EmailAddress": "C@example.org" }), &["c"]),
        (json!({ "MailboxGuid": guid }), &["a"]),
        (json!({ "Identity": guid, "BatchId": "First" }), &["a"]),
        (json!({ "Identity": A, "Status": "Synced" }), &[]),
        (json!({ "ResultSize": 2 }), &["a", "b"]),
    ] {
        let shown = desk.call("Get-MigrationUser", request.clone()).await.unwrap();
        let names: Vec<_> = shown.iter().map(|it| it["UserName"].as_str().unwrap()).collect();
        assert_eq!(names, found, "{request}");
    }
    for (request, kind, words) in [
        (json!({ "Identity": "d@example.org" }), NotFound, "\"d@example.org\" could not be found"),
        (json!({ "Identity": A, "BatchId": "Second" }), NotFound, "could not be found"),
        (json!({ "BatchId": "Third" }), NotFound, "\"Third\" could not be found"),
        (json!({ "Identity": A, "EmailAddress": A }), Invalid, "only one of"),
        (json!({ "Continuation": "nonsense" }), Invalid, "Continuation"),
    ] {
        desk.refused("Get-MigrationUser", request, kind, words).await;
    }
    let shown = desk.one("Get-MigrationUser", identity()).await;
    for (property, value) in [
        ("Identity", json!(A)),
        ("BatchId", json!("First")),
        ("StatusSummary", json!("Failed")),
        ("ErrorClass", json!("Authentication")),
        ("ErrorSummary", json!("=LOGIN refused: NO [AUTHENTICATIONFAILED]")),
        ("Advice", json!("check the user name and the password")),
        ("HasUnapprovedSkippedItems", json!(false)),
        ("Row", json!(2)),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
}

#[tokio::test]
async fn a_user_gets_times_and_passwords_of_its_own() {
    let desk = Desk::with_endpoint().await;
    let zone = json!({ "TimeZone": "Europe/Berlin", "AutoStart": true });
    desk.batch("B", &["a"], zone).await;
    let set = async |more: Value| {
        let mut request = identity();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.one("Set-MigrationUser", request).await
    };
    let shown = set(json!({ "StartAfter": "2999-07-01", "CompleteAfter": "2999-08-01T00:00:00Z" })).await;
    assert_eq!(shown["StartAfter"], "2999-06-30T22:00:00Z");
    assert_eq!(shown["NextSyncTime"], "2999-06-30T22:00:00Z");
    let shown = set(json!({ "StartAfter": null })).await;
    assert!(shown["StartAfter"].is_null() && shown["CompleteAfter"].is_string());
    assert_eq!(desk.claim().await.len(), 1);

    let guid = desk.context.store.users().get(A, None).await.unwrap().guid;
    let secret = async |name| {
        let kept = desk.context.store.secrets().get(guid, name).await.unwrap();
        kept.map(|it| String::from_utf8(it.expose().to_vec()).unwrap())
    };
    let login = |user: &str, password: &str| json!({ "UserName": user, "Password": password });
    let shown = set(json!({ "TargetCredential": login("a2", "target") })).await;
    assert_eq!((&shown["UserName"], &shown["TargetUserName"]), (&json!("a"), &json!("a2")));
    assert_eq!(secret(SecretName::Password).await.as_deref(), Some("secret-a"));
    let shown = set(json!({ "Credential": login("a3", "source") })).await;
    assert_eq!((&shown["UserName"], &shown["TargetUserName"]), (&json!("a3"), &json!("a2")));
    assert_eq!(secret(SecretName::Password).await.as_deref(), Some("source"));
    assert_eq!(secret(SecretName::TargetPassword).await.as_deref(), Some("target"));
    set(json!({ "CSVData": csv(&["a"]) })).await;
    assert_eq!(secret(SecretName::Password).await.as_deref(), Some("secret-a"));
    for (more, kind, words) in [
        (json!({ "CSVData": csv(&["b"]) }), Invalid, "whose EmailAddress is a@example.org"),
        (json!({ "CSVData": csv(&["a", "b"]) }), Invalid, "must have one row"),
        (json!({ "CSVData": base64("") }), Invalid, "empty"),
        (json!({ "CSVData": csv(&["a"]), "Credential": login("a", "b") }), Invalid, "not both"),
        (json!({ "SyncNow": true }), Conflict, "its status is Validating"),
        (json!({ "TargetCredential": login(A, "p") }), Conflict, "Remove-MigrationUser"),
        (json!({ "Identity": "b@example.org" }), NotFound, "could not be found"),
    ] {
        let mut request = identity();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("Set-MigrationUser", request, kind, words).await;
    }
}

#[tokio::test]
async fn a_user_is_synced_at_once_and_its_skipped_items_approved() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({ "AutoStart": true })).await;
    desk.pass(UserEvent::SyncedWithSkippedItems).await;
    desk.one("Set-MigrationBatch", json!({ "Identity": "B", "SyncInterval": "01:00:00" })).await;
    assert!(desk.claim().await.is_empty());
    let request = json!({ "Identity": A, "SyncNow": true, "ApproveSkippedItems": true });
    assert_eq!(desk.one("Set-MigrationUser", request).await["HasUnapprovedSkippedItems"], false);
    assert_eq!(desk.claim().await.len(), 1);
}

#[tokio::test]
async fn a_stop_reaches_the_worker() {
    use crate::service::EndReason;
    for (cmdlet, request, why) in [
        ("Stop-MigrationUser", identity(), EndReason::Stopped),
        ("Remove-MigrationUser", identity(), EndReason::Stopped),
        ("Stop-MigrationBatch", json!({ "Identity": "B" }), EndReason::Stopped),
        ("Remove-MigrationBatch", json!({ "Identity": "B" }), EndReason::Stopped),
        ("Set-MigrationBatch", json!({ "Identity": "B", "Update": true }), EndReason::Preempted),
    ] {
        let desk = in_state(UserStatus::Syncing).await;
        let user = desk.context.store.users().get(A, None).await.unwrap();
        let worker = desk.worker(&user).await;
        desk.call(cmdlet, request).await.unwrap();
        assert_eq!(worker.end_reason(), Some(why), "{cmdlet}");
        assert!(worker.must_end());
    }
}
