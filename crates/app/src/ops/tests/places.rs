//! The parameter of a request that a failure names.

use serde_json::{Value, json};

use super::support::{Desk, csv};

#[tokio::test]
async fn a_failure_names_the_parameter_that_is_wrong() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({})).await;
    let batch = |more: Value| {
        let mut request = json!({ "Name": "C", "SourceEndpoint": "Old", "CSVData": csv(&["c"]) });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("New-MigrationBatch", request)
    };
    let endpoint = |more: Value| {
        let mut request =
            json!({ "Name": "E", "RemoteServer": "imap.example.org", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("New-MigrationEndpoint", request)
    };
    let set = |more: Value| {
        let mut request = json!({ "Identity": "B" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("Set-MigrationBatch", request)
    };
    for ((cmdlet, request), parameter) in [
        // Rules of the interface itself.
        (batch(json!({ "MaxItems": "many" })), "MaxItems"),
        (batch(json!({ "Naem": "x" })), "Naem"),
        (("New-MigrationBatch", json!({ "Name": "x" })), "CSVData"),
        // Values that an operation refuses.
        (batch(json!({ "Name": " " })), "Name"),
        (batch(json!({ "Name": "b" })), "Name"),
        (batch(json!({ "SourceEndpoint": "Gone" })), "SourceEndpoint"),
        (batch(json!({ "TargetEndpoint": "Gone" })), "TargetEndpoint"),
        (batch(json!({ "TimeZone": "Nowhere" })), "TimeZone"),
        (batch(json!({ "SyncInterval": "00:00:01" })), "SyncInterval"),
        (batch(json!({ "ContentFilter": "Received -ge" })), "ContentFilter"),
        (batch(json!({ "FolderMap": { "A": "" } })), "FolderMap"),
        (batch(json!({ "NotificationEmails": ["a@b", "c"] })), "NotificationEmails"),
        (batch(json!({ "CSVData": csv(&["a"]) })), "CSVData"),
        (set(json!({ "CompleteAfter": "2020-01-01", "StartAfter": "2021-01-01" })), "CompleteAfter"),
        (endpoint(json!({ "Name": "old" })), "Name"),
        (endpoint(json!({ "RemoteServer": "imaps://x" })), "RemoteServer"),
        (endpoint(json!({ "ServerProfile": "Lotus" })), "ServerProfile"),
        (endpoint(json!({ "AuthMechanism": "GSSAPI" })), "AuthMechanism"),
        (endpoint(json!({ "CertificateSha256": "xy" })), "CertificateSha256"),
        (
            endpoint(json!({ "RemoteServer": "127.0.0.1", "Port": 1, "SkipVerification": false })),
            "RemoteServer",
        ),
        (("Set-MigrationConfig", json!({ "TargetEndpoint": "Gone" })), "TargetEndpoint"),
        (("Test-MigrationServerAvailability", json!({ "Endpoint": "Gone" })), "Endpoint"),
    ] {
        let shown = format!("{cmdlet} {request}");
        let failure = desk.call(cmdlet, request).await.err().unwrap_or_else(|| panic!("{shown}"));
        let found = failure.place.as_ref().map(|place| place.parameter.as_str());
        assert_eq!(found, Some(parameter), "{shown}: {failure:?}");
    }
}
