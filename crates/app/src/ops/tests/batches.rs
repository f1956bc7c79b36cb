//! New-, Get- and Set-MigrationBatch: users, warnings, refusals.

use mailhaul_migration::UserEvent;
use mailhaul_operations::FailureKind::{Conflict, Invalid, NotFound};
use mailhaul_store::SecretName;
use serde_json::{Value, json};

use super::support::{Desk, base64, csv};

#[tokio::test]
async fn a_batch_is_shown_as_exchange_shows_it() {
    let desk = Desk::with_endpoint().await;
    let shown = desk
        .batch("IMAPBatch1", &["terry.adams", "ann.beebe", "paul.cannon"], json!({ "AutoStart": true }))
        .await;
    for (property, value) in [
        ("Identity", json!("IMAPBatch1")),
        ("Status", json!("Starting")),
        ("MigrationType", json!("IMAP")),
        ("BatchDirection", json!("Onboarding")),
        ("SourceEndpoint", json!("Old")),
        ("TargetEndpoint", json!("Archive")),
        ("SubmittedByUser", json!("ada")),
        ("TotalCount", json!(3)),
        ("PendingCount", json!(3)),
        ("ActiveCount", json!(0)),
        ("SyncedCount", json!(0)),
        ("FinalizedCount", json!(0)),
        ("FailedCount", json!(0)),
        ("ProvisionedCount", json!(0)),
        ("SyncInterval", json!("1.00:00:00")),
        ("AllowIncrementalSyncs", json!(true)),
        ("DataConsistencyScore", Value::Null),
        ("ValidationWarningCount", json!(0)),
        ("TimeZone", json!("UTC")),
        ("Report", Value::Null),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    assert_eq!(shown["StartDateTime"], shown["CreationDateTimeUTC"]);
    desk.pass(UserEvent::SyncedWithSkippedItems).await;
    let shown = desk.one("Get-MigrationBatch", json!({ "Identity": "imapbatch1" })).await;
    assert_eq!(shown["Status"], "Synced");
    assert_eq!((&shown["SyncedCount"], &shown["PercentageComplete"]), (&json!(3), &json!(100)));
    assert_eq!((&shown["SyncedItemCount"], &shown["BytesTransferred"]), (&json!(297), &json!(3000)));
    assert_eq!(
        (&shown["DataConsistencyScore"], &shown["UnapprovedUserCount"]),
        (&json!("Investigate"), &json!(3))
    );
    assert!(shown["InitialSyncDateTime"].is_string() && shown["LastSyncedDateTime"].is_string());
    desk.one("Set-MigrationBatch", json!({ "Identity": "IMAPBatch1", "ApproveSkippedItems": true })).await;
    let shown = desk.one("Get-MigrationBatch", json!({ "Identity": "IMAPBatch1" })).await;
    assert_eq!(shown["UnapprovedUserCount"], 0);
}

#[tokio::test]
async fn batches_are_found_by_what_they_are() {
    let desk = Desk::with_endpoint().await;
    let other = json!({ "Name": "Other", "RemoteServer": "b.example.org", "SkipVerification": true });
    desk.one("New-MigrationEndpoint", other).await;
    desk.batch("First", &["a"], json!({ "AutoStart": true })).await;
    let guid = desk.batch("Second", &["b"], json!({ "SourceEndpoint": "other" })).await["BatchGuid"].clone();
    let names = async |request: Value| -> Vec<String> {
        let found = desk.call("Get-MigrationBatch", request).await.unwrap();
        found.iter().map(|it| it["Identity"].as_str().unwrap().to_owned()).collect()
    };
    for (request, found) in [
        (json!({}), &["First", "Second"][..]),
        (json!({ "Identity": "SECOND" }), &["Second"]),
        (json!({ "Identity": guid }), &["Second"]),
        (json!({ "Endpoint": "old" }), &["First"]),
        (json!({ "Status": "created" }), &["Second"]),
        (json!({ "Status": "Failed" }), &[]),
        (json!({ "ResultSize": 1 }), &["First"]),
        (json!({ "ResultSize": "Unlimited" }), &["First", "Second"]),
    ] {
        assert_eq!(names(request.clone()).await, found, "{request}");
    }
    for (request, kind, words) in [
        (json!({ "Identity": "Third" }), NotFound, "\"Third\" could not be found"),
        (json!({ "Endpoint": "Third" }), NotFound, "\"Third\" could not be found"),
        (json!({ "Identity": "First", "Endpoint": "Old" }), Invalid, "not both"),
        (json!({ "Status": "Corrupted" }), Invalid, "Status must be"),
    ] {
        desk.refused("Get-MigrationBatch", request, kind, words).await;
    }
}

#[tokio::test]
async fn a_batch_tells_what_happened_to_it() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({ "AutoStart": true })).await;
    desk.pass(UserEvent::Failed).await;
    let shown = desk.one("Get-MigrationBatch", json!({ "Identity": "B", "IncludeReport": true })).await;
    let report = shown["Report"].to_string();
    for words in ["ada created the batch", "was started", "Row 2: a@example.org is Failed: =LOGIN refused"] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(shown["Message"].as_str().unwrap().contains("1 failed"), "{shown}");
    let failures = shown["Report"]["Failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1);
    assert!(
        failures[0]["Message"].as_str().unwrap().starts_with("Row 2: a@example.org is Failed"),
        "{failures:?}"
    );
}

#[tokio::test]
async fn addresses_that_are_there_already_are_warned_of_and_left_out() {
    let desk = Desk::with_endpoint().await;
    desk.batch("First", &["a"], json!({})).await;
    let shown = desk.batch("Second", &["A", "b", "b"], json!({})).await;
    assert_eq!(shown["TotalCount"], 1);
    assert_eq!(shown["ValidationWarningCount"], 2);
    let warnings = shown["ValidationWarnings"].to_string();
    assert!(warnings.contains("Row 2") && warnings.contains("\\\"First\\\""), "{warnings}");
    assert!(warnings.contains("Row 4"), "{warnings}");
}

#[tokio::test]
async fn a_new_batch_is_refused_in_words() {
    let desk = Desk::with_endpoint().await;
    desk.batch("Taken", &["z"], json!({})).await;
    let header = "EmailAddress,UserName,Password";
    for (more, kind, words) in [
        (json!({ "Name": "TAKEN" }), Conflict, "the migration batch \"TAKEN\" already exists"),
        (json!({ "Name": "x".repeat(65) }), Invalid, "at most 64 characters; it has 65"),
        (json!({ "SourceEndpoint": "None" }), NotFound, "\"None\" could not be found"),
        (json!({ "TargetEndpoint": "None" }), NotFound, "\"None\" could not be found"),
        (json!({ "CSVData": base64("") }), Invalid, "CSV file is empty"),
        (
            json!({ "CSVData": base64("EmailAddress,UserName\r\na@x,b\r\n") }),
            Invalid,
            "Column \"Password\" is missing",
        ),
        (
            json!({ "CSVData": base64(&format!("{header}\r\na,b\r\n")) }),
            Invalid,
            "Row 2: wrong number of columns",
        ),
        (
            json!({ "CSVData": base64(&format!("{header},Colour\r\na@x,b,c,d\r\n")) }),
            Invalid,
            "-AllowUnknownColumnsInCsv $true",
        ),
        (json!({ "ContentFilter": "Received -like 'x'" }), Invalid, "ContentFilter, character 10"),
        (json!({ "ExcludeFolders": ["#Nowhere#"] }), Invalid, "ExcludeFolders: \"#Nowhere#\""),
        (json!({ "FolderMap": { "Sent": "" } }), Invalid, "FolderMap"),
        (json!({ "SyncInterval": "00:00:59" }), Invalid, "at least 00:01:00; it is 00:00:59"),
        (json!({ "TimeZone": "Nowhere" }), Invalid, "no time zone \"Nowhere\""),
        (
            json!({ "StartAfter": "2030-01-02", "CompleteAfter": "2030-01-01" }),
            Invalid,
            "not be before StartAfter",
        ),
        (json!({ "StartAfter": "tomorrow" }), Invalid, "StartAfter must be a date"),
        (json!({ "MaxItems": 0 }), Invalid, "MaxItems"),
        (
            json!({ "NotificationEmails": ["ada"] }),
            Invalid,
            "NotificationEmails: \"ada\" is no e-mail address",
        ),
        (
            json!({ "ReportInterval": "00:00:59" }),
            Invalid,
            "ReportInterval must be 00:00:00 or at least 00:01:00",
        ),
        (json!({ "Users": ["a"] }), Invalid, "-Users is not supported"),
    ] {
        let mut request = json!({ "Name": "New", "SourceEndpoint": "Old", "CSVData": csv(&["a"]) });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("New-MigrationBatch", request, kind, words).await;
    }
    let nothing = json!({ "Name": "New", "SourceEndpoint": "Old" });
    desk.refused("New-MigrationBatch", nothing, Invalid, "needs CSVData").await;
    assert_eq!(desk.call("Get-MigrationBatch", json!({})).await.unwrap().len(), 1);
}

#[tokio::test]
async fn there_are_no_more_batches_than_allowed() {
    let desk = Desk::with_endpoint().await;
    desk.one("Set-MigrationConfig", json!({ "MaxNumberOfBatches": 1 })).await;
    desk.batch("First", &["a"], json!({})).await;
    assert_eq!(desk.one("Get-MigrationConfig", json!({})).await["CanSubmitNewBatch"], false);
    let request = json!({ "Name": "Second", "SourceEndpoint": "Old", "CSVData": csv(&["b"]) });
    desk.refused("New-MigrationBatch", request.clone(), Conflict, "MaxNumberOfBatches is 1").await;
    desk.one("Set-MigrationConfig", json!({ "MaxNumberOfBatches": "unlimited" })).await;
    desk.one("New-MigrationBatch", request).await;
}

#[tokio::test]
async fn passwords_are_sealed_and_replaced_by_another_file() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({ "AutoStart": true })).await;
    desk.pass(UserEvent::Failed).await;
    let rows =
        "EmailAddress,UserName,Password\r\nA@example.org,a,correct horse\r\nb@example.org,b,secret-b\r\n";
    let file = base64(rows);
    let shown =
        desk.one("Set-MigrationBatch", json!({ "Identity": "B", "AddUsers": true, "CSVData": file })).await;
    assert!(shown["Message"].as_str().unwrap().starts_with("1 user was added, 1 updated"), "{shown}");
    assert_eq!((&shown["TotalCount"], &shown["FailedCount"]), (&json!(2), &json!(1)));
    assert!(!shown.to_string().contains("correct horse"));
    let user = desk.context.store.users().get("a@example.org", None).await.unwrap();
    let kept = desk.context.store.secrets().get(user.guid, SecretName::Password).await.unwrap().unwrap();
    assert_eq!(kept.expose(), b"correct horse");
    desk.one("Start-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!(desk.user_status("a@example.org").await, "Queued");
    for (more, words) in [
        (json!({ "CSVData": csv(&["c"]) }), "CSVData needs AddUsers"),
        (json!({ "AddUsers": true }), "AddUsers needs CSVData"),
        (json!({ "AddUsers": true, "CSVData": base64("x") }), "Row 1"),
    ] {
        let mut request = json!({ "Identity": "B" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("Set-MigrationBatch", request, Invalid, words).await;
    }
    let nobody = json!({ "Identity": "C", "SyncNow": true });
    desk.refused("Set-MigrationBatch", nobody, NotFound, "\"C\" could not be found").await;
}

#[tokio::test]
async fn all_errors_of_a_file_are_told_at_once() {
    let desk = Desk::with_endpoint().await;
    let rows: Vec<String> = (0..300)
        .map(|it| if it % 3 == 0 { "hunter2,a,p\n".into() } else { format!("u{it}@b,a,p\n") })
        .collect();
    let file = base64(&format!("EmailAddress,UserName,Password\n{}", rows.concat()));
    let request = json!({ "Name": "B", "SourceEndpoint": "Old", "CSVData": file });
    let (kind, words) = desk.refusal("New-MigrationBatch", request.clone()).await;
    assert_eq!(kind, Invalid);
    assert!(
        words.starts_with("CSVData: The CSV file has 100 errors:\n  Row 2, column 1 (EmailAddress): "),
        "{words}"
    );
    assert!(words.contains("\n  and 80 more errors") && !words.contains("hunter2"), "{words}");
    // Programs get the place of each.
    let failure = desk.call("New-MigrationBatch", request).await.unwrap_err();
    let place = failure.place.unwrap();
    assert_eq!((place.parameter.as_str(), place.rows.len()), ("CSVData", 100));
    assert_eq!((&place.rows[1]["Row"], &place.rows[1]["Code"]), (&json!(5), &json!("Address")));
}

#[tokio::test]
async fn a_file_of_which_no_user_is_left_is_refused() {
    let desk = Desk::with_endpoint().await;
    desk.batch("First", &["a", "b"], json!({})).await;
    let request = json!({ "Name": "Second", "SourceEndpoint": "Old", "CSVData": csv(&["a", "b"]) });
    let words = "CSVData: no user is left: Row 2: the EmailAddress is in the batch \"First\" already; row 2 is left out";
    desk.refused("New-MigrationBatch", request, Invalid, words).await;
    assert_eq!(desk.call("Get-MigrationBatch", json!({})).await.unwrap().len(), 1);
    desk.batch("Third", &["c"], json!({})).await;
    let request = json!({ "Identity": "Third", "AddUsers": true, "CSVData": csv(&["a"]) });
    desk.refused("Set-MigrationBatch", request, Invalid, "no user is left").await;
}

#[tokio::test]
async fn a_target_endpoint_needs_a_way_in() {
    let desk = Desk::with_endpoint().await;
    let target = json!({ "Name": "New", "RemoteServer": "imap.example.org", "SkipVerification": true });
    desk.one("New-MigrationEndpoint", target).await;
    desk.one("Set-MigrationConfig", json!({ "TargetEndpoint": "new" })).await;
    assert_eq!(desk.one("Get-MigrationConfig", json!({})).await["TargetEndpoint"], "New");
    let request = json!({ "Name": "B", "SourceEndpoint": "Old", "CSVData": csv(&["a"]) });
    desk.refused(
        "New-MigrationBatch",
        request,
        Invalid,
        "Row 2 (TargetPassword): there is no password for the target mailbox",
    )
    .await;
    let rows = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\r\n\
                a@example.org,a,p,a2,q\r\nb@example.org,b,p,A2,q\r\nc@example.org,c,p,c,q\r\n";
    let shown = desk.batch("B", &[], json!({ "CSVData": base64(rows) })).await;
    assert_eq!((&shown["TargetEndpoint"], &shown["TotalCount"]), (&json!("New"), &json!(1)));
    let warnings = shown["ValidationWarnings"].to_string();
    assert!(warnings.contains("Row 3: row 2 has the same target mailbox"), "{warnings}");
    assert!(warnings.contains("Row 4: source and target are the same mailbox; row 4"), "{warnings}");
    // A user of the batch has a password already.
    let file = csv(&["a"]);
    desk.one("Set-MigrationBatch", json!({ "Identity": "B", "AddUsers": true, "CSVData": file })).await;
    let shown = desk.batch("Kept", &["d"], json!({ "TargetEndpoint": "archive" })).await;
    assert_eq!(shown["TargetEndpoint"], "Archive");
}
