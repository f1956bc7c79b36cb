//! Mailbox checks find mailboxes that do not open, before a batch starts.

use mailhaul_testkit::Setup;

use crate::support::{Service, give, until};

#[tokio::test(flavor = "multi_thread")]
async fn closed_mailboxes_are_named_before_the_batch_starts() {
    let from = Setup::with_users(&["annb", "paulc", "terrya"]).start();
    let to = Setup::with_users(&["annb@contoso.com", "paulc@contoso.com", "other"]).start();
    give(&from, "annb", "INBOX", &[900; 10], 1).await;
    let service = Service::start();
    service.endpoints(from.port(), to.port(), &[]);
    let csv = |paul: &str| {
        let file = format!(
            "EmailAddress,UserName,Password,TargetPassword\n\
             annb@contoso.com,annb,secret-annb,secret-annb@contoso.com\n\
             paulc@contoso.com,paulc,{paul},secret-paulc@contoso.com\n\
             terrya@contoso.edu,terrya,secret-terrya,secret-hunter2\n"
        );
        service.write("users.csv", &file)
    };
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    let made = service.expect(&[&new[..], &["-CSVData", &csv("wrong-hunter2")]].concat()).remove(0);
    assert_eq!(made["Status"], "Created");
    let batch = until(|| Some(service.batch("B")).filter(|it| it["CheckedCount"] == 3));
    assert_eq!((&batch["Status"], batch["CheckFailedCount"].as_u64()), (&made["Status"], Some(2)));
    let warnings = batch["ValidationWarnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    let words = "contoso.edu: its only address cannot be opened at \"New\"";
    assert!(warnings[0].as_str().unwrap().starts_with(words), "{warnings:?}");

    let failed = service.expect(&["Get-MigrationUser", "-BatchId", "B", "-CheckFailed"]);
    let told = |user: &serde_json::Value| {
        let of = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
        (of("Identity"), of("SourceCheck"), of("TargetCheck"), of("Status"))
    };
    let named = |name: &str, source: &str, target: &str| {
        (name.to_owned(), source.to_owned(), target.to_owned(), "Stopped".to_owned())
    };
    assert_eq!(
        failed.iter().map(told).collect::<Vec<_>>(),
        [named("paulc@contoso.com", "Failed", "Opened"), named("terrya@contoso.edu", "Opened", "Failed")]
    );
    let why = failed[1]["CheckError"].as_str().unwrap();
    assert!(why.starts_with("target terrya@contoso.edu@127.0.0.1: "), "{why}");
    assert!(why.contains("AUTHENTICATIONFAILED") && failed[1]["CheckAdvice"].is_string(), "{why}");
    assert!(!failed[0].to_string().contains("hunter2") && !failed[1].to_string().contains("hunter2"));
    let table = service.ask(&["Get-MigrationUser", "-BatchId", "B", "-CheckFailed"]);
    assert!(table.stdout.contains("CheckError"), "{}", table.stdout);

    // A new password is checked at once. The batch starts with the other users; a closed mailbox fails.
    service.expect(&["Set-MigrationBatch", "B", "-AddUsers", "-CSVData", &csv("secret-paulc")]);
    until(|| (service.user("paulc@contoso.com")["SourceCheck"] == "Opened").then_some(()));
    service.expect(&["Start-MigrationBatch", "B"]);
    service.wait_for("B", &["SyncedWithErrors"]);
    let user = service.user("annb@contoso.com");
    assert_eq!((&user["Status"], user["SyncedItemCount"].as_u64()), (&"Synced".into(), Some(10)));
    let user = service.user("terrya@contoso.edu");
    assert_eq!((&user["Status"], &user["ErrorSummary"]), (&"Failed".into(), &why.into()));
}
