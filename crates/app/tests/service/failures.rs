//! A failed user does not delay the others.

use mailhaul_testkit::Setup;

use crate::support::{Service, assert_same, give};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_fails_at_once_and_can_be_corrected() {
    let users = ["annb", "paulc", "terrya"];
    let (from, to) = (Setup::with_users(&users).start(), Setup::with_users(&users).start());
    for (seed, user) in (1..).zip(users) {
        give(&from, user, "INBOX", &[900; 10], seed).await;
    }
    let service = Service::start();
    service.endpoints(from.port(), to.port(), &[]);
    let csv = |paul: &str| {
        format!(
            "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n\
             annb@contoso.edu,annb,secret-annb,annb,secret-annb\n\
             paulc@contoso.edu,paulc,{paul},paulc,secret-paulc\n\
             terrya@contoso.edu,terrya,secret-terrya,terrya,secret-terrya\n"
        )
    };
    let file = service.write("users.csv", &csv("wrong-hunter2"));
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&new[..], &["-CSVData", &file, "-AutoStart"]].concat());
    let batch = service.wait_for("B", &["SyncedWithErrors"]);
    assert_eq!((batch["SyncedCount"].as_u64(), batch["FailedCount"].as_u64()), (Some(2), Some(1)));
    let failed = service.user("paulc@contoso.edu");
    assert_eq!(failed["Status"], "Failed");
    let summary = failed["ErrorSummary"].as_str().unwrap();
    assert!(summary.contains("paulc"), "{summary}");
    let told = failed.to_string();
    assert!(told.contains("password") && !told.contains("hunter2"), "{told}");

    // A new password for him; only he is tried again.
    let before = service.user("annb@contoso.edu")["LastSuccessfulSyncTime"].clone();
    let mended = service.write("mended.csv", &csv("secret-paulc"));
    service.expect(&["Set-MigrationBatch", "B", "-AddUsers", "-CSVData", &mended]);
    service.expect(&["Start-MigrationBatch", "B"]);
    service.wait_for("B", &["Synced"]);
    assert_eq!(service.user("annb@contoso.edu")["LastSuccessfulSyncTime"], before);
    for user in users {
        assert_same(&from, &to, user).await;
    }
}
