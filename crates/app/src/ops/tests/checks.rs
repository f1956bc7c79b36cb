//! Mailbox checks: their results, and requests for new ones.

use mailhaul_migration::{FailureClass, Opening, PassFailure, UserEvent};
use mailhaul_operations::FailureKind::Conflict;
use mailhaul_store::{CheckClaim, CheckEnd, ClaimedCheck};
use serde_json::{Value, json};

use super::support::{Desk, base64};

const WORDS: &str = "target ann@contoso.edu@new.example.org: AUTHENTICATE refused: NO";

/// A batch B of these users, whose mail goes to the endpoint New.
async fn desk(users: &[&str]) -> Desk {
    let desk = Desk::with_endpoint().await;
    let new = json!({ "Name": "New", "RemoteServer": "new.example.org", "SkipVerification": true });
    desk.one("New-MigrationEndpoint", new).await;
    let rows: Vec<String> = users.iter().map(|it| format!("{it},{it},a,b\r\n")).collect();
    let file = base64(&format!("EmailAddress,UserName,Password,TargetPassword\r\n{}", rows.concat()));
    let batch = json!({ "Name": "B", "SourceEndpoint": "Old", "TargetEndpoint": "New", "CSVData": file });
    let batch = desk.one("New-MigrationBatch", batch).await;
    assert_eq!(batch["CheckPendingCount"], users.len());
    desk
}

async fn claimed(desk: &Desk) -> Vec<ClaimedCheck> {
    let store = &desk.context.store;
    let batch = store.batches().get("B").await.unwrap().batch;
    let now = desk.context.now();
    let claim = CheckClaim {
        now,
        until: now,
        source_endpoint: batch.source_endpoint,
        target_endpoint: batch.target_endpoint,
        limit: 100,
        limits: mailhaul_store::ClaimLimits::default(),
    };
    store.checks().claim(claim).await.unwrap()
}

/// Records a check of every user at the target.
async fn check(desk: &Desk, opens: impl Fn(&str) -> bool) {
    for ClaimedCheck { user, number } in claimed(desk).await {
        let refused = PassFailure {
            class: FailureClass::Authentication,
            message: WORDS.to_owned(),
            advice: Some("Check the password.".to_owned()),
        };
        let target =
            Some(if opens(&user.email_address) { Opening::Opened } else { Opening::Failed(refused) });
        let end = CheckEnd::Known { source: Opening::Opened, target };
        desk.context.store.checks().end(user.guid, number, end, desk.context.now()).await.unwrap();
    }
}

async fn shown(desk: &Desk, user: &str) -> Value {
    desk.one("Get-MigrationUser", json!({ "Identity": user })).await
}

async fn batch(desk: &Desk) -> Value {
    desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await
}

#[tokio::test]
async fn who_cannot_be_opened_is_shown_with_its_domain() {
    let users = ["ann@contoso.edu", "bob@contoso.edu", "cyd@contoso.com", "dan@contoso.com"];
    let desk = desk(&users).await;
    let user = shown(&desk, "ann@contoso.edu").await;
    assert_eq!((&user["SourceCheck"], &user["TargetCheck"]), (&json!("Pending"), &json!("Pending")));
    assert_eq!((&user["CheckedTime"], &user["CheckError"]), (&Value::Null, &Value::Null));
    assert!(batch(&desk).await["Message"].as_str().unwrap().ends_with("; 4 users are not checked yet"));
    check(&desk, |it| it.contains("@contoso.com")).await;
    let user = shown(&desk, "ann@contoso.edu").await;
    assert_eq!((&user["SourceCheck"], &user["TargetCheck"]), (&json!("Opened"), &json!("Failed")));
    assert_eq!((&user["CheckError"], &user["CheckAdvice"]), (&json!(WORDS), &json!("Check the password.")));
    assert!(user["CheckedTime"].is_string() && user["Status"] == "Stopped" && user["ErrorSummary"].is_null());
    let failed = json!({ "BatchId": "B", "CheckFailed": true });
    let failed = desk.call("Get-MigrationUser", failed).await.unwrap();
    let names: Vec<&str> = failed.iter().map(|it| it["Identity"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann@contoso.edu", "bob@contoso.edu"]);
    for (user, count) in [("ann@contoso.edu", 1), ("cyd@contoso.com", 0)] {
        let request = json!({ "Identity": user, "CheckFailed": true });
        assert_eq!(desk.call("Get-MigrationUser", request).await.unwrap().len(), count);
    }
    let shown = batch(&desk).await;
    let counts = ["CheckedCount", "CheckFailedCount", "CheckPendingCount", "ValidationWarningCount"];
    assert_eq!(counts.map(|it| shown[it].as_u64().unwrap()), [4, 2, 0, 1]);
    assert_eq!(
        shown["ValidationWarnings"],
        json!([
            "contoso.edu: none of its 2 addresses can be opened at \"New\"; add it to the accepted domains of the \
             target, or check the addresses"
        ])
    );
    let message = shown["Message"].as_str().unwrap();
    assert!(message.contains("2 users have a mailbox that cannot be opened"), "{message}");
    assert!(message.contains("Get-MigrationUser -BatchId \"B\" -CheckFailed"), "{message}");

    // Corrected, and checked again.
    let again = desk.one("Set-MigrationBatch", json!({ "Identity": "B", "CheckNow": true })).await;
    assert_eq!((&again["CheckPendingCount"], &again["ValidationWarningCount"]), (&json!(4), &json!(0)));
    check(&desk, |_| true).await;
    let shown = batch(&desk).await;
    assert_eq!(counts.map(|it| shown[it].as_u64().unwrap()), [4, 0, 0, 0]);
    let request = json!({ "Identity": "cyd@contoso.com", "CheckNow": true });
    assert_eq!(desk.one("Set-MigrationUser", request).await["TargetCheck"], "Pending");
    assert_eq!(claimed(&desk).await.len(), 1);
}

#[tokio::test]
async fn what_is_not_known_yet_says_why() {
    let desk = desk(&["ann@contoso.edu"]).await;
    let ClaimedCheck { user, number } = claimed(&desk).await.remove(0);
    let due = "2030-01-01T00:00:00Z".parse().unwrap();
    let end = CheckEnd::Later { due, reason: "the server is busy".to_owned() };
    desk.context.store.checks().end(user.guid, number, end, desk.context.now()).await.unwrap();
    let user = shown(&desk, "ann@contoso.edu").await;
    assert_eq!(user["TargetCheck"], "Pending");
    assert_eq!(user["CheckError"], "not checked yet, retry at 2030-01-01T00:00:00Z: the server is busy");
    let message = batch(&desk).await["Message"].clone();
    assert!(
        message.as_str().unwrap().ends_with("; 1 user is not checked yet: the server is busy"),
        "{message}"
    );
    // The administrator corrects the endpoint.
    assert_eq!(claimed(&desk).await.len(), 0);
    let mended = json!({ "Identity": "New", "RemoteServer": "other.example.org", "SkipVerification": true });
    desk.one("Set-MigrationEndpoint", mended).await;
    assert_eq!(claimed(&desk).await.len(), 1);
}

#[tokio::test]
async fn a_check_for_the_archive_opens_the_source_alone() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({ "AutoStart": true })).await;
    let user = shown(&desk, "a@example.org").await;
    assert_eq!((&user["SourceCheck"], &user["TargetCheck"]), (&json!("NotChecked"), &Value::Null));
    desk.pass(UserEvent::Synced).await;
    let request = json!({ "Identity": "a@example.org", "CheckNow": true });
    assert_eq!(desk.one("Set-MigrationUser", request.clone()).await["SourceCheck"], "Pending");
    desk.one("Complete-MigrationBatch", json!({ "Identity": "B" })).await;
    desk.pass(UserEvent::Synced).await;
    desk.refused("Set-MigrationUser", request, Conflict, "its status is Completed").await;
}
