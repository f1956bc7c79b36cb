//! Sorted lists of users, and what needs the administrator.

use mailhaul_migration::UserEvent;
use mailhaul_operations::FailureKind::{Invalid, NotFound};
use serde_json::json;

use super::support::Desk;

#[tokio::test]
async fn a_window_of_users_has_the_number_of_all() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["ann", "zoe", "bob", "cid"], json!({})).await;
    let request =
        json!({ "BatchId": "B", "SortBy": "EmailAddress", "Descending": true, "Offset": 1, "ResultSize": 2 });
    let users = desk.call("Get-MigrationUser", request).await.unwrap();
    let names: Vec<_> = users.iter().map(|it| it["Identity"].as_str().unwrap()).collect();
    assert_eq!(names, ["cid@example.org", "bob@example.org"]);
    assert_eq!(users[0]["SupportedActions"], json!(["Start", "Set", "Remove"]));
    assert_eq!(users[0]["PercentageComplete"], 0);
    let found =
        desk.call("Get-MigrationUser", json!({ "Search": "EXAMPLE", "Status": ["Stopped"] })).await.unwrap();
    assert_eq!(found.len(), 4, "each address is in example.org");
    let none = desk.call("Get-MigrationUser", json!({ "ErrorClass": ["Quota"], "SortBy": "Status" })).await;
    assert_eq!(none.unwrap(), Vec::<serde_json::Value>::new());
    desk.refused("Get-MigrationUser", json!({ "SortBy": "Beauty" }), Invalid, "SortBy").await;
    // The filters hold for one user too.
    let one = async |filter: serde_json::Value| {
        let mut request = json!({ "Identity": "ann@example.org" });
        request.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        desk.call("Get-MigrationUser", request).await.unwrap().len()
    };
    assert_eq!(one(json!({ "Search": "ann" })).await, 1);
    assert_eq!(
        (one(json!({ "Search": "zoe" })).await, one(json!({ "HasSkippedItems": true })).await),
        (0, 0)
    );
}

#[tokio::test]
async fn causes_and_issues_name_their_objects() {
    let desk = Desk::with_endpoint().await;
    assert!(desk.call("Get-MigrationIssue", json!({})).await.unwrap().is_empty());
    desk.batch("B", &["ann", "bob"], json!({ "AutoStart": true })).await;
    for claimed in desk.claim().await {
        desk.ends(&claimed, UserEvent::Failed).await;
    }
    let causes = desk.call("Get-MigrationFailure", json!({ "BatchId": "B" })).await.unwrap();
    assert_eq!((causes.len(), &causes[0]["Count"], &causes[0]["BatchId"]), (1, &json!(2), &json!("B")));
    let issues = desk.call("Get-MigrationIssue", json!({})).await.unwrap();
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert_eq!(
        (&issues[0]["Severity"], &issues[0]["Code"], &issues[0]["Message"]),
        (&json!("Error"), &json!("UsersFailed"), &json!("2 users of the batch \"B\" failed"))
    );
    assert_eq!(issues[0]["Command"], "Get-MigrationFailure -BatchId \"B\"");
    let warnings = desk.call("Get-MigrationIssue", json!({ "Severity": "Warning" })).await.unwrap();
    assert!(warnings.is_empty());
    desk.refused("Get-MigrationFailure", json!({ "BatchId": "X" }), NotFound, "X").await;
}
