//! Changes of many users with one request.

use mailhaul_migration::UserEvent;
use mailhaul_operations::FailureKind::{Invalid, NotFound};
use serde_json::json;

use super::support::Desk;

#[tokio::test]
async fn users_are_started_and_stopped_by_filter_and_by_name() {
    let desk = Desk::with_endpoint().await;
    desk.batch("A", &["ann", "bob", "cid"], json!({ "AutoStart": true })).await;
    desk.batch("B", &["zoe"], json!({})).await;
    let claimed = desk.claim().await;
    desk.ends(&claimed[0], UserEvent::Failed).await;
    desk.ends(&claimed[1], UserEvent::Synced).await;
    desk.ends(&claimed[2], UserEvent::Synced).await;
    let outcome = desk.one("Start-MigrationUser", json!({ "BatchId": "A" })).await;
    assert_eq!((&outcome["ChangedCount"], &outcome["RefusedCount"]), (&json!(1), &json!(2)), "{outcome}");
    let refusal = &outcome["Refusals"][0];
    assert_eq!((&refusal["Identity"], &refusal["Code"]), (&json!("bob@example.org"), &json!("Conflict")));
    assert!(refusal["Message"].as_str().unwrap().contains("its status is Synced"), "{refusal}");
    assert!(refusal["Advice"].as_str().unwrap().contains("SyncNow"), "{refusal}");
    let named = json!({ "Identities": ["ANN@example.org", "zoe@example.org", "nil@example.org"] });
    let outcome = desk.one("Stop-MigrationUser", named).await;
    assert_eq!((&outcome["ChangedCount"], &outcome["RefusedCount"]), (&json!(1), &json!(2)), "{outcome}");
    assert_eq!(outcome["Refusals"][0]["Code"], "NotFound");
    assert_eq!(outcome["Refusals"][1]["Identity"], "zoe@example.org");
    assert_eq!(desk.user_status("ann@example.org").await, "Stopped");
    // The batch of a started user runs.
    let outcome = desk.one("Start-MigrationUser", json!({ "AllBatches": true, "Status": ["Stopped"] })).await;
    assert_eq!((&outcome["ChangedCount"], &outcome["RefusedCount"]), (&json!(2), &json!(0)), "{outcome}");
    assert_eq!(
        (desk.status("B").await, desk.user_status("zoe@example.org").await),
        ("Starting".to_owned(), "Queued".to_owned())
    );
}

#[tokio::test]
async fn users_are_changed_and_removed_by_filter() {
    let desk = Desk::with_endpoint().await;
    desk.batch("A", &["ann", "bob"], json!({ "AutoStart": true, "TimeZone": "Europe/Berlin" })).await;
    desk.batch("B", &["zoe"], json!({ "AutoStart": true })).await;
    let claimed = desk.claim().await;
    desk.ends(&claimed[0], UserEvent::SyncedWithSkippedItems).await;
    let times = json!({ "AllBatches": true, "CompleteAfter": "2999-07-01T08:00" });
    assert_eq!(desk.one("Set-MigrationUser", times).await["ChangedCount"], 3);
    let of = async |user: &str| desk.one("Get-MigrationUser", json!({ "Identity": user })).await;
    assert_eq!(of("ann@example.org").await["CompleteAfter"], "2999-07-01T06:00:00Z");
    assert_eq!(of("zoe@example.org").await["CompleteAfter"], "2999-07-01T08:00:00Z");
    let clear = json!({ "BatchId": "A", "Search": "bob", "CompleteAfter": null });
    assert_eq!(desk.one("Set-MigrationUser", clear).await["ChangedCount"], 1);
    assert_eq!(of("bob@example.org").await["CompleteAfter"], json!(null));
    let approve =
        json!({ "BatchId": "A", "HasSkippedItems": true, "ApproveSkippedItems": true, "SyncNow": true });
    let outcome = desk.one("Set-MigrationUser", approve).await;
    assert_eq!((&outcome["ChangedCount"], &outcome["RefusedCount"]), (&json!(1), &json!(0)), "{outcome}");
    assert_eq!(of("ann@example.org").await["HasUnapprovedSkippedItems"], false);
    let outcome = desk.one("Set-MigrationUser", json!({ "BatchId": "A", "SyncNow": true })).await;
    assert_eq!(outcome["Refusals"][0]["Identity"], "bob@example.org", "{outcome}");
    let removed = desk.one("Remove-MigrationUser", json!({ "BatchId": "A", "Search": "ann" })).await;
    assert_eq!((&removed["ChangedCount"], &removed["RefusedCount"]), (&json!(1), &json!(0)));
    desk.refused("Get-MigrationUser", json!({ "Identity": "ann@example.org" }), NotFound, "ann").await;
    assert_eq!(of("bob@example.org").await["BatchId"], "A");
}

#[tokio::test]
async fn a_filter_alone_selects_no_users() {
    let desk = Desk::with_endpoint().await;
    desk.batch("A", &["ann"], json!({})).await;
    for cmdlet in ["Start-MigrationUser", "Stop-MigrationUser", "Set-MigrationUser", "Remove-MigrationUser"] {
        for request in [json!({}), json!({ "Status": ["Stopped"] }), json!({ "Search": "ann" })] {
            desk.refused(cmdlet, request, Invalid, "AllBatches must be given").await;
        }
        let both = json!({ "Identity": "ann@example.org", "BatchId": "A" });
        desk.refused(cmdlet, both, Invalid, "names one user").await;
        let names = vec!["x"; 1001];
        desk.refused(cmdlet, json!({ "Identities": names }), Invalid, "at most 1000 names").await;
    }
    let file = json!({ "BatchId": "A", "CSVData": super::support::csv(&["ann"]) });
    desk.refused("Set-MigrationUser", file, Invalid, "are for one user").await;
    // A removal of 1,000 long names does not fit into a URL.
    let names: Vec<String> =
        (0..1000).map(|number| format!("{number}-{}@example.org", "x".repeat(200))).collect();
    let outcome = desk.one("Remove-MigrationUser", json!({ "Identities": names })).await;
    assert_eq!((&outcome["ChangedCount"], &outcome["RefusedCount"]), (&json!(0), &json!(1000)));
    assert_eq!(desk.user_status("ann@example.org").await, "Stopped");
}
