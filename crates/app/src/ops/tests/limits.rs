//! Parked endpoints and users that wait for a limit.

use jiff::{Timestamp, ToSpan as _};
use mailhaul_migration::{FailureClass, PassFailure, Statistics, UserEvent};
use mailhaul_store::{Due, Parking, Release};
use serde_json::{Value, json};

use super::support::Desk;
use crate::serve::metrics::metrics;

/// A whole second about an hour from now, and its text.
fn later() -> (Timestamp, String) {
    let until = Timestamp::from_second(Timestamp::now().as_second() + 3600).unwrap();
    (until, until.to_string())
}

async fn park(desk: &Desk, until: Timestamp) {
    let endpoint = desk.context.store.endpoints().get("Old").await.unwrap().guid;
    let parking = Parking { since: Timestamp::now(), until, reason: "BYE Server busy".to_owned() };
    desk.context.store.jobs().park(endpoint, |_| parking).await.unwrap();
}

#[tokio::test]
async fn a_parked_endpoint_is_shown_with_the_users_that_wait_for_it() {
    let desk = Desk::with_endpoint().await;
    desk.batch("One", &["ann", "terry"], json!({ "AutoStart": true })).await;
    let endpoint = || desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" }));
    let user = || desk.one("Get-MigrationUser", json!({ "Identity": "ann@example.org" }));
    let batch = || desk.one("Get-MigrationBatch", json!({ "Identity": "One" }));
    assert_eq!(
        (&endpoint().await["ParkedUntil"], &user().await["StatusMessage"]),
        (&Value::Null, &Value::Null)
    );
    let (until, shown) = later();
    park(&desk, until).await;
    let parked = endpoint().await;
    assert_eq!((&parked["ParkedUntil"], &parked["ParkedReason"]), (&json!(shown), &json!("BYE Server busy")));
    let words = format!("\"Old\" is paused until {shown}: BYE Server busy");
    let user_now = user().await;
    assert_eq!(user_now["NextSyncTime"], json!(shown));
    assert!(user_now["StatusMessage"].as_str().unwrap().contains(&words), "{user_now:#}");
    let message = batch().await["Message"].as_str().unwrap().to_owned();
    assert!(message.contains(&words), "{message}");
    let page = metrics(&desk.context).await.unwrap();
    assert!(page.contains("mailhaul_endpoint_parked{endpoint=\"Old\"} 1\n"), "{page}");
    // Changed limits end the parking.
    desk.one("Set-MigrationEndpoint", json!({ "Identity": "Old", "BytesPerDay": 1_000_000 })).await;
    assert_eq!(endpoint().await["ParkedUntil"], Value::Null);
    assert_eq!(user().await["StatusMessage"], Value::Null);
    assert!(!batch().await["Message"].as_str().unwrap().contains("paused"));
    let page = metrics(&desk.context).await.unwrap();
    assert!(page.contains("mailhaul_endpoint_parked{endpoint=\"Old\"} 0\n"), "{page}");
}

#[tokio::test]
async fn users_whose_deletions_wait_are_named_until_they_wait_no_more() {
    let desk = Desk::with_endpoint().await;
    let names: Vec<String> = (10..22).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    desk.batch("Sales", &names, json!({ "AutoStart": true, "Deletions": "Mirror" })).await;
    let end = |waiting_deletions| Release {
        now: Timestamp::now(),
        event: UserEvent::Synced,
        due: Due::At(Timestamp::now()),
        synced: Some(Timestamp::now()),
        is_attempt: false,
        closed: None,
        failure: None,
        statistics: Statistics { waiting_deletions, ..Statistics::default() },
        entries: Vec::new(),
        folders: Some(Vec::new()),
        skipped: Some(Vec::new()),
    };
    let batch = || desk.one("Get-MigrationBatch", json!({ "Identity": "Sales" }));
    assert_eq!(batch().await["ValidationWarnings"], json!([]));
    let claimed = desk.claim().await;
    for claim in &claimed {
        desk.context.store.jobs().release(&claim.lease, end(3)).await.unwrap();
    }
    let shown = batch().await;
    assert_eq!((&shown["WaitingDeletionCount"], &shown["ValidationWarningCount"]), (&json!(36), &json!(1)));
    let warning = shown["ValidationWarnings"][0].as_str().unwrap();
    let words = "not removed yet: 36 copies of 12 users (user10@example.org, user11@example.org, ";
    assert!(warning.starts_with(words) && warning.contains("user19@example.org and 2 more)"), "{warning}");
    assert!(warning.contains("Set-MigrationBatch \"Sales\" -ConfirmDeletions"), "{warning}");
    let user = desk.one("Get-MigrationUser", json!({ "Identity": "user10@example.org" })).await;
    assert_eq!(user["WaitingDeletionCount"], json!(3));

    for claim in desk.claim().await {
        desk.context.store.jobs().release(&claim.lease, end(0)).await.unwrap();
    }
    let shown = batch().await;
    assert_eq!((&shown["WaitingDeletionCount"], &shown["ValidationWarnings"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn a_user_who_waits_for_a_limit_shows_when_it_goes_on() {
    let desk = Desk::with_endpoint().await;
    desk.batch("One", &["ann", "terry"], json!({ "AutoStart": true })).await;
    let (until, shown) = later();
    let claimed = desk.claim().await;
    let release = Release {
        now: Timestamp::now(),
        event: UserEvent::Deferred,
        due: Due::At(until),
        synced: None,
        is_attempt: true,
        closed: None,
        failure: Some(PassFailure {
            class: FailureClass::Throttled,
            message: "NO Request is throttled".to_owned(),
            advice: None,
        }),
        statistics: Statistics::default(),
        entries: Vec::new(),
        folders: None,
        skipped: None,
    };
    let waiting = desk.context.store.jobs().release(&claimed[0].lease, release).await.unwrap();
    let user = desk.one("Get-MigrationUser", json!({ "Identity": waiting.email_address })).await;
    assert_eq!((&user["Status"], &user["NextSyncTime"]), (&json!("Queued"), &json!(shown)));
    assert_eq!(
        user["StatusMessage"],
        json!(format!("The user waits until {shown}: NO Request is throttled"))
    );
    let batch = desk.one("Get-MigrationBatch", json!({ "Identity": "One" })).await;
    let words = format!("1 user waits because a limit is used up, the first until {shown}");
    assert!(batch["Message"].as_str().unwrap().ends_with(&words), "{batch:#}");
    // A longer parking of the endpoint takes precedence over the user's own time.
    let longer = until + 1.hour();
    park(&desk, longer).await;
    let user = desk.one("Get-MigrationUser", json!({ "Identity": waiting.email_address })).await;
    assert_eq!(user["NextSyncTime"], json!(longer.to_string()));
    // With changed limits it is due immediately.
    desk.one("Set-MigrationEndpoint", json!({ "Identity": "Old", "MailboxBytesPerDay": 1_000_000 })).await;
    let user = desk.context.store.users().by_guid(waiting.guid).await.unwrap();
    assert!(user.due.unwrap() <= Timestamp::now());
}
