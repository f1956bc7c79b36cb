//! Statistics and exported reports.

use std::sync::Arc;

use mailhaul_migration::{Statistics, UserEvent};
use mailhaul_operations::{
    Caller, Client,
    FailureKind::{Forbidden, Invalid, NotFound, Unavailable},
    Role, Service,
};
use serde_json::{Value, json};

use super::support::{Audit, Desk};
use crate::{
    ops::batch::report_columns::{Kind, columns},
    service::forecast::{Day, Forecast},
};

/// The batch B of user a, with one skipped message, and user b, who failed.
async fn desk() -> Desk {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b"], json!({ "AutoStart": true })).await;
    let claimed = desk.claim().await;
    desk.ends(&claimed[0], UserEvent::SyncedWithSkippedItems).await;
    desk.ends(&claimed[1], UserEvent::Failed).await;
    desk
}

#[tokio::test]
async fn a_user_s_numbers_go_to_its_folders() {
    let desk = desk().await;
    let request = json!({ "Identity": "A@example.org", "IncludeReport": true, "IncludeSkippedItems": true });
    let shown = desk.one("Get-MigrationUserStatistics", request).await;
    for (property, value) in [
        ("Identity", json!("a@example.org")),
        ("BatchId", json!("B")),
        ("MigrationType", json!("IMAP")),
        ("Status", json!("Synced")),
        ("SyncedItemCount", json!(99)),
        ("SkippedItemCount", json!(1)),
        ("TotalItemsInSourceMailboxCount", json!(100)),
        ("BytesTransferred", json!(1000)),
        ("PercentageComplete", json!(100)),
        ("CurrentBytesTransferredPerMinute", json!(0)),
        ("EstimatedTimeRemaining", json!(null)),
        ("DataConsistencyScore", json!("Investigate")),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    for duration in
        ["TotalQueuedDuration", "TotalInProgressDuration", "TotalSyncedDuration", "TotalStalledDuration"]
    {
        assert!(shown[duration].as_str().unwrap().starts_with("00:00:"), "{duration}");
    }
    let folder = &shown["Folders"][0];
    assert_eq!((&folder["FolderName"], &folder["SeenCount"]), (&json!("INBOX"), &json!(100)));
    assert_eq!((&folder["CopiedCount"], &folder["SkippedCount"]), (&json!(99), &json!(1)));
    let report = shown["Report"]["Entries"].as_array().unwrap();
    assert!(report.iter().any(|it| it["Message"] == "Folder INBOX: done."), "{report:?}");
    assert_eq!(shown["Report"]["Failures"], json!([]));
    let item = &shown["SkippedItems"][0];
    assert_eq!(
        (&item["Kind"], &item["FolderName"], &item["UID"]),
        (&json!("TooLarge"), &json!("INBOX"), &json!(7))
    );

    assert_eq!((&item["Sender"], &item["DateSent"]), (&json!("ann@b.c"), &item["DateReceived"]));
    let request = json!({ "Identity": "b@example.org", "IncludeReport": true });
    let failed = desk.one("Get-MigrationUserStatistics", request).await;
    let failure = &failed["Report"]["Failures"][0];
    assert!(
        failure["CreationTime"].is_string() && failure["Message"].as_str().unwrap().contains("LOGIN refused")
    );
    let short = desk.one("Get-MigrationUserStatistics", json!({ "Identity": "b@example.org" })).await;
    assert!(short["Report"].is_null() && short["SkippedItems"].is_null());
    assert_eq!(short["ErrorClass"], "Authentication");
    let nobody = json!({ "Identity": "c@example.org" });
    desk.refused("Get-MigrationUserStatistics", nobody, NotFound, "could not be found").await;
    desk.refused("Get-MigrationUserStatistics", json!({}), Invalid, "Identity").await;
}

#[tokio::test]
async fn a_pass_under_way_is_shown_as_it_is_now() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({ "AutoStart": true })).await;
    desk.claim().await;
    let user = desk.context.store.users().get("a@example.org", None).await.unwrap();
    let worker = desk.worker(&user).await;
    let shown = desk.one("Get-MigrationUserStatistics", json!({ "Identity": "a@example.org" })).await;
    assert_eq!((&shown["Status"], &shown["SyncedItemCount"]), (&json!("Validating"), &json!(0)));
    worker.has_copied(10, 2000);
    let shown = desk.one("Get-MigrationUserStatistics", json!({ "Identity": "a@example.org" })).await;
    assert_eq!((&shown["SyncedItemCount"], &shown["BytesTransferred"]), (&json!(10), &json!(2000)));
    let shown = desk.one("Get-MigrationUser", json!({ "Identity": "a@example.org" })).await;
    assert_eq!(shown["SyncedItemCount"], 10);
    // The daily limit of the server is too small.
    let numbers = Statistics { estimated_bytes: 1_300_000_000, ..Statistics::default() };
    let day = Day { max: 500_000_000, left: 100_000_000 };
    worker.foresees(Forecast::from_statistics(&numbers, [day]));
    let words = "This mailbox needs about 4 days at 500.0 MB a day: 1.3 GB are left to copy, and 100.0 MB may be copied today.";
    for cmdlet in ["Get-MigrationUser", "Get-MigrationUserStatistics"] {
        let shown = desk.one(cmdlet, json!({ "Identity": "a@example.org" })).await;
        assert_eq!(shown["StatusMessage"], words, "{cmdlet}");
    }
    let shown = desk.one("Get-MigrationUserStatistics", json!({ "Identity": "a@example.org" })).await;
    assert_eq!(shown["EstimatedTimeRemaining"], "3.00:00:00");
}

#[tokio::test]
async fn all_batches_are_added_up() {
    let desk = desk().await;
    desk.batch("C", &["c"], json!({})).await;
    let shown = desk.one("Get-MigrationStatistics", json!({})).await;
    for (property, value) in [
        ("MigrationType", "IMAP".into()),
        ("BatchCount", 2.into()),
        ("TotalCount", 3.into()),
        ("SyncedCount", 1.into()),
        ("FailedCount", 1.into()),
        ("StoppedCount", 1.into()),
        ("ProvisionedCount", 0.into()),
        ("SyncedItemCount", 199.into()),
        ("BytesTransferred", Value::from(2000)),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
}

async fn export(desk: &Desk, more: Value) -> (String, String) {
    let mut request = json!({ "Identity": "b" });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let shown = desk.one("Export-MigrationReport", request).await;
    let text = |property: &str| shown[property].as_str().unwrap().to_owned();
    (text("FileName"), text("Content"))
}

#[tokio::test]
async fn reports_are_files_that_a_spreadsheet_does_not_run() {
    let desk = desk().await;
    let (name, text) = export(&desk, json!({})).await;
    assert_eq!(name, "B-Statistics.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], columns(Kind::Statistics).join(","));
    assert!(lines[1].starts_with("2,a@example.org,Synced,Investigate,100,99,1,1000,"), "{}", lines[1]);
    assert!(lines[2].ends_with(",Authentication,'=LOGIN refused: NO [AUTHENTICATIONFAILED]"), "{}", lines[2]);
    assert_eq!(lines.len(), 3);

    let (name, text) = export(&desk, json!({ "Kind": "errors", "WithByteOrderMark": true })).await;
    assert_eq!(name, "B-Errors.csv");
    assert_eq!(
        text,
        format!(
            "\u{feff}{}\r\n3,b@example.org,Failed,Authentication,'=LOGIN refused: NO [AUTHENTICATIONFAILED],check the user \
             name and the password\r\n",
            columns(Kind::Errors).join(",")
        )
    );

    let (name, text) = export(&desk, json!({ "Kind": "SkippedItems" })).await;
    assert_eq!(name, "B-SkippedItems.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    let cells = "2,a@example.org,INBOX,7,\"'=HYPERLINK(\"\"http://evil\"\")\",";
    assert!(lines[1].starts_with(cells), "{}", lines[1]);
    assert!(lines[1].ends_with(",40000000,TooLarge,larger than the target takes"), "{}", lines[1]);

    for (request, kind, words) in [
        (json!({ "Identity": "None" }), NotFound, "could not be found"),
        (json!({ "Identity": "B", "Kind": "Everything" }), Invalid, "Kind must be"),
        (json!({ "Identity": "B", "Continuation": "x" }), Invalid, "Continuation"),
        (json!({ "Identity": "B", "Kind": "SkippedItems", "Continuation": "x" }), Invalid, "Continuation"),
    ] {
        desk.refused("Export-MigrationReport", request, kind, words).await;
    }
}

#[test]
fn every_column_is_documented() {
    let text = include_str!("../../../../../docs/reference/reports.md");
    for kind in [Kind::Statistics, Kind::Errors, Kind::SkippedItems] {
        for column in columns(kind) {
            assert!(text.contains(&format!("`{column}`")), "{kind:?}: {column}");
        }
    }
}

#[tokio::test]
async fn skipped_messages_of_users_and_batches_are_paged() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b", "c"], json!({ "AutoStart": true })).await;
    for claimed in desk.claim().await {
        desk.ends(&claimed, UserEvent::SyncedWithSkippedItems).await;
    }
    let whose = |items: &[Value]| -> Vec<String> {
        items.iter().map(|it| it["Identity"].as_str().unwrap().to_owned()).collect()
    };
    let one = desk.one("Get-MigrationSkippedItem", json!({ "Identity": "B@example.org" })).await;
    assert_eq!(
        (&one["Identity"], &one["FolderName"], &one["UID"], &one["Reason"]),
        (&json!("b@example.org"), &json!("INBOX"), &json!(7), &json!("larger than the target takes"))
    );
    assert!(one["FileName"].is_null() && one["ExportError"].is_null());
    for (size, expected) in [(json!("Unlimited"), 3), (json!(2), 2), (json!(3), 3)] {
        let request = json!({ "BatchId": "B", "ResultSize": size });
        let all = desk.call("Get-MigrationSkippedItem", request).await.unwrap();
        assert_eq!(whose(&all), ["a@example.org", "b@example.org", "c@example.org"][..expected]);
    }
    // Starts in the middle.
    let request = json!({ "BatchId": "B", "Continuation": "1..." });
    let one = desk.call("Get-MigrationSkippedItem", request).await.unwrap();
    assert_eq!(whose(&one), ["a@example.org"]);
    for (request, kind, words) in [
        (json!({}), Invalid, "either Identity or BatchId"),
        (json!({ "Identity": "a@example.org", "BatchId": "B" }), Invalid, "either Identity or BatchId"),
        (json!({ "Identity": "z@example.org" }), NotFound, "z@example.org"),
        (json!({ "BatchId": "Z" }), NotFound, "\"Z\""),
        (json!({ "BatchId": "B", "Continuation": "x" }), Invalid, "Continuation"),
        (json!({ "Identity": "a@example.org", "Export": "saved" }), Invalid, "absolute path"),
        (json!({ "Identity": "a@example.org", "Export": "/dev/null/x" }), Unavailable, "/dev/null/x"),
    ] {
        desk.refused("Get-MigrationSkippedItem", request, kind, words).await;
    }
    // A caller over the network cannot write to this disk.
    let far = Caller { name: "tom".to_owned(), role: Role::Admin, is_local: false };
    let request = json!({ "Identity": "a@example.org", "Export": "/tmp/saved" });
    let service =
        Service::new(desk.operations.clone(), desk.context.clone(), Arc::new(Audit::default()), "0");
    let client = Client::local(Arc::new(service).router(), far);
    let entry = desk.operations.entry("Get-MigrationSkippedItem").unwrap();
    let refused = client.call(entry, request).await.unwrap_err();
    assert_eq!(refused.kind, Forbidden, "{refused:?}");
}
