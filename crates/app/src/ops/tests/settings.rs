//! Batch settings and the effects of a change; the configuration.

use jiff::{Timestamp, ToSpan as _};
use mailhaul_migration::UserEvent;
use mailhaul_operations::FailureKind::{Conflict, Forbidden, Invalid, NotFound};
use mailhaul_operations::{Caller, Client, Role, Service};
use serde_json::{Value, json};
use std::sync::Arc;

use super::support::{Audit, Desk};

async fn set(desk: &Desk, more: Value) -> Value {
    let mut request = json!({ "Identity": "B" });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.one("Set-MigrationBatch", request).await
}

#[tokio::test]
async fn settings_are_kept_as_they_were_given() {
    let desk = Desk::with_endpoint().await;
    let shown = desk
        .batch(
            "B",
            &["a"],
            json!({
                "TimeZone": "W. Europe Standard Time",
                "StartAfter": "2999-07-01T08:00",
                "CompleteAfter": "2999-07-02T00:00:00Z",
                "ExcludeFolders": ["Deleted Items", "#JunkEmail#"],
                "IncludeFolders": ["Projects/*"],
                "FolderMap": { "Sent": "Sent Items" },
                "ContentFilter": "Received -ge '2024-01-01'",
                "ContentFilterLanguage": "en-GB",
                "AllowIncrementalSyncs": false,
                "SyncInterval": "01:00:00",
                "Deletions": "mirror",
                "MaxDeletionPercent": 25,
                "MaxDeletionCount": 0,
                "NewestFirst": true,
                "MaxItems": 500_000,
                "MaxMessageSize": 36_700_160,
            }),
        )
        .await;
    for (property, value) in [
        ("StartAfter", json!("2999-07-01T08:00:00+02:00")),
        ("StartAfterUTC", json!("2999-07-01T06:00:00Z")),
        ("CompleteAfter", json!("2999-07-02T02:00:00+02:00")),
        ("ExcludedFolders", json!(["Deleted Items", "#JunkEmail#"])),
        ("IncludedFolders", json!(["Projects/*"])),
        ("FolderMap", json!({ "Sent": "Sent Items" })),
        ("ContentFilter", json!("Received -ge '2024-01-01'")),
        ("AllowIncrementalSyncs", json!(false)),
        ("SyncInterval", json!("01:00:00")),
        ("Deletions", json!("Mirror")),
        ("MaxDeletionPercent", json!(25)),
        ("MaxDeletionCount", json!(0)),
        ("NewestFirst", json!(true)),
        ("MaxItems", json!(500_000)),
        ("MaxMessageSize", json!(36_700_160)),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    let shown = set(
        &desk,
        json!({
            "StartAfter": null,
            "CompleteAfter": "2999-08-01",
            "ExcludeFolders": null,
            "IncludeFolders": ["INBOX"],
            "FolderMap": {},
            "ContentFilter": null,
            "Deletions": "Keep",
            "MaxDeletionCount": 7,
            "NewestFirst": false,
            "MaxItems": null,
            "MaxMessageSize": 10,
            "NotificationEmails": [" ada@contoso.edu", "Ada@contoso.edu"],
            "ReportInterval": "00:00:00",
            "SkipReports": true,
        }),
    )
    .await;
    for (property, value) in [
        ("StartAfter", json!(null)),
        ("CompleteAfterUTC", json!("2999-07-31T22:00:00Z")),
        ("ExcludedFolders", json!([])),
        ("IncludedFolders", json!(["INBOX"])),
        ("FolderMap", json!({})),
        ("ContentFilter", json!(null)),
        ("Deletions", json!("Keep")),
        ("MaxDeletionPercent", json!(25)),
        ("MaxDeletionCount", json!(7)),
        ("NewestFirst", json!(false)),
        ("MaxItems", json!(null)),
        ("MaxMessageSize", json!(10)),
        ("SyncInterval", json!("01:00:00")),
        ("NotificationEmails", json!(["ada@contoso.edu"])),
        ("ReportInterval", json!("00:00:00")),
        ("SkipReports", json!(true)),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    for (more, words) in [
        (json!({ "MaxItems": 0 }), "MaxItems must be at least 1"),
        (json!({ "StartAfter": "2999-09-01" }), "not be before StartAfter"),
        (json!({ "ContentFilter": "Subject -eq 'x'" }), "ContentFilter, character 1"),
        (json!({ "TimeZone": "Nowhere" }), "no time zone"),
        (json!({ "NotificationEmails": ["a b@c"] }), "NotificationEmails: \"a b@c\""),
        (json!({ "ReportInterval": "00:00:01" }), "ReportInterval must be"),
        (json!({ "SyncInterval": null }), "SyncInterval"),
        (json!({ "MaxDeletionPercent": 101 }), "MaxDeletionPercent"),
    ] {
        let mut request = json!({ "Identity": "B" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("Set-MigrationBatch", request, Invalid, words).await;
    }
}

async fn next_sync(desk: &Desk, user: &str) -> Option<Timestamp> {
    let shown = desk.one("Get-MigrationUser", json!({ "Identity": user })).await;
    shown["NextSyncTime"].as_str().map(|it| it.parse().unwrap())
}

#[tokio::test]
async fn users_are_due_by_the_new_times() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({ "AutoStart": true, "StartAfter": "2999-01-01" })).await;
    let user = "a@example.org";
    assert_eq!(next_sync(&desk, user).await, Some("2999-01-01T00:00:00Z".parse().unwrap()));
    set(&desk, json!({ "StartAfter": null })).await;
    assert!(next_sync(&desk, user).await.unwrap() <= desk.context.now());
    desk.pass(UserEvent::Synced).await;
    let before = desk.context.now();
    set(&desk, json!({ "SyncInterval": "02:00:00" })).await;
    let next = next_sync(&desk, user).await.unwrap();
    assert!(next >= before + 119.minutes() && next <= desk.context.now() + 2.hours(), "{next}");
    set(&desk, json!({ "AllowIncrementalSyncs": false })).await;
    assert_eq!(next_sync(&desk, user).await, None);
    set(&desk, json!({ "AllowIncrementalSyncs": true })).await;
    assert!(next_sync(&desk, user).await.is_some());
}

#[tokio::test]
async fn a_sync_at_once_is_for_those_who_wait_between_two() {
    let desk = Desk::with_endpoint().await;
    let now = json!({ "Identity": "B", "SyncNow": true });
    desk.batch("B", &["a"], json!({})).await;
    desk.refused("Set-MigrationBatch", now.clone(), Conflict, "its status is Created").await;
    desk.one("Start-MigrationBatch", json!({ "Identity": "B" })).await;
    desk.refused("Set-MigrationBatch", now.clone(), Conflict, "none of its users").await;
    desk.pass(UserEvent::Synced).await;
    set(&desk, json!({ "SyncInterval": "02:00:00" })).await;
    assert!(desk.claim().await.is_empty());
    let shown = desk.one("Set-MigrationBatch", now.clone()).await;
    assert_eq!(shown["Message"], "its synced users are synced now, as connection slots become free");
    assert_eq!(desk.claim().await.len(), 1);
    desk.refused("Set-MigrationBatch", now, Conflict, "syncing already").await;
}

#[tokio::test]
async fn the_configuration_is_the_administrator_s() {
    let desk = Desk::with_endpoint().await;
    let shown = desk.one("Get-MigrationConfig", json!({})).await;
    for (property, value) in [
        ("MaxNumberOfBatches", json!(100)),
        ("MaxConcurrentMigrations", json!(300)),
        ("TargetEndpoint", json!("Archive")),
        ("CanSubmitNewBatch", json!(true)),
        ("Features", json!(["IMAP"])),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    let more = json!({ "MaxConcurrentMigrations": 50, "TargetEndpoint": "OLD" });
    let shown = desk.one("Set-MigrationConfig", more).await;
    assert_eq!((&shown["MaxConcurrentMigrations"], &shown["TargetEndpoint"]), (&json!(50), &json!("Old")));
    desk.refused("Remove-MigrationEndpoint", json!({ "Identity": "Old" }), Conflict, "Set-MigrationConfig")
        .await;
    for none in [json!(null), json!("archive")] {
        desk.one("Set-MigrationConfig", json!({ "TargetEndpoint": "Old" })).await;
        let shown = desk.one("Set-MigrationConfig", json!({ "TargetEndpoint": none })).await;
        assert_eq!(shown["TargetEndpoint"], "Archive");
    }
    let unknown = json!({ "TargetEndpoint": "None" });
    desk.refused("Set-MigrationConfig", unknown, NotFound, "\"None\" could not be found").await;
    let service =
        Service::new(desk.operations.clone(), desk.context.clone(), Arc::new(Audit::default()), "0");
    let operator = Caller { name: "olga".to_owned(), role: Role::Operator, is_local: true };
    let client = Client::local(Arc::new(service).router(), operator);
    let entry = desk.operations.entry("Set-MigrationConfig").unwrap();
    assert_eq!(client.call(entry, json!({})).await.unwrap_err().kind, Forbidden);
}
