//! Audit records: what they contain, and that they contain no secret.

use mailhaul_operations::Failure;
use mailhaul_store::AuditEntry;
use serde_json::json;

use super::support::{Desk, csv};

#[tokio::test]
async fn changes_are_logged_without_passwords() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({})).await;
    let _again = desk
        .call("New-MigrationBatch", json!({ "Name": "B", "SourceEndpoint": "Old", "CSVData": csv(&["a"]) }))
        .await;
    desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await;
    let credential = json!({ "UserName": "a", "Password": "hunter2" });
    desk.one("Set-MigrationUser", json!({ "Identity": "a@example.org", "Credential": credential })).await;
    let told = desk.audit.0.lock().unwrap();
    let shown: Vec<_> = told
        .iter()
        .map(|it| {
            (it.operation.as_str(), it.identity.as_deref(), it.outcome.as_ref().map_err(Failure::to_string))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("New-MigrationEndpoint", Some("Old"), Ok(&())),
            ("New-MigrationBatch", Some("B"), Ok(&())),
            ("New-MigrationBatch", Some("B"), Err("the migration batch \"B\" already exists".to_owned())),
            ("Set-MigrationUser", Some("a@example.org"), Ok(&())),
        ]
    );
    let text = format!("{told:?}");
    assert!(!text.contains("hunter2") && !text.contains("secret-a"), "{text}");
}

#[tokio::test]
async fn the_log_is_read_newest_first() {
    let desk = Desk::new().await;
    for number in 0..3 {
        let entry = AuditEntry {
            time: desk.context.now(),
            who: "ada".to_owned(),
            operation: "Remove-MigrationBatch".to_owned(),
            identity: format!("B{number}"),
            outcome: "done".to_owned(),
        };
        desk.context.store.audit().append(entry).await.unwrap();
    }
    let shown = desk.call("Get-MigrationAuditLog", json!({ "ResultSize": 2 })).await.unwrap();
    let objects: Vec<_> = shown.iter().map(|it| it["ObjectModified"].as_str().unwrap()).collect();
    assert_eq!(objects, ["B2", "B1"]);
    assert_eq!(shown[0]["CmdletName"], "Remove-MigrationBatch");
}
