//! A batch through all its commands.

use mailhaul_testkit::{Faults, Proxy, Setup};
use std::time::Duration;

use crate::support::{Service, assert_same, give, names, ran, until};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_users_are_stopped_started_completed_and_removed() {
    let users = names(20);
    let list: Vec<&str> = users.iter().map(String::as_str).collect();
    let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
    for (seed, user) in (1..).zip(&users) {
        give(&from, user, "INBOX", &[1_500; 60], seed).await;
    }
    let slow = Faults { delay: Duration::from_millis(10), ..Faults::default() };
    let source = Proxy::start(from.port(), slow);
    let service = Service::start();
    service.endpoints(source.port(), to.port(), &["-MaxConcurrentMigrations", "8"]);
    let csv = service.csv(&users);
    let new = ["New-MigrationBatch", "-Name", "Life", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&new[..], &["-CSVData", &csv]].concat());
    assert_eq!(service.batch("Life")["Status"], "Created");
    // What cannot be in this state is refused, in words.
    for verb in ["Stop", "Complete"] {
        let refused = service.ask(&[&format!("{verb}-MigrationBatch"), "Life"]);
        assert_eq!(refused.code, Some(4), "{verb}: {}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains("Start-MigrationBatch"), "{verb}: {}", refused.stderr);
    }

    service.expect(&["Start-MigrationBatch", "Life"]);
    until(|| (source.open() > 0).then_some(()));
    service.expect(&["Stop-MigrationBatch", "Life"]);
    let stopped = service.wait_for("Life", &["Stopped"]);
    until(|| (source.open() == 0).then_some(()));
    assert_eq!(stopped["ActiveCount"], 0, "{stopped:#}");

    service.expect(&["Start-MigrationBatch", "Life"]);
    // One of them is taken out of the stream, and put back.
    service.expect(&["Stop-MigrationUser", "user20@contoso.edu"]);
    service.wait_for_user("user20@contoso.edu", &["Stopped", "IncrementalStopped"]);
    service.wait_for("Life", &["Synced"]);
    service.expect(&["Start-MigrationUser", "user20@contoso.edu"]);
    service.wait_for_user("user20@contoso.edu", &["Synced"]);
    for user in &users {
        assert_same(&from, &to, user).await;
    }

    // The last mail, the last sync.
    give(&from, "user3", "INBOX", &[900; 5], 99).await;
    service.expect(&["Complete-MigrationBatch", "Life"]);
    let completed = service.wait_for("Life", &["Completed", "CompletedWithErrors"]);
    assert_eq!(completed["Status"], "Completed", "{completed:#}");
    assert_same(&from, &to, "user3").await;
    assert_eq!(service.ask(&["Complete-MigrationBatch", "Life"]).code, Some(4));

    service.expect(&["Remove-MigrationUser", "user1@contoso.edu"]);
    assert_eq!(service.ask(&["Get-MigrationUser", "user1@contoso.edu"]).code, Some(3));
    assert_eq!(service.batch("Life")["TotalCount"], 19);
    service.expect(&["Remove-MigrationBatch", "Life"]);
    assert_eq!(service.ask(&["Get-MigrationBatch", "Life"]).code, Some(3));

    // The name is free, and what is there already is not copied again.
    service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    service.wait_for("Life", &["Synced"]);
    for user in &users {
        assert_same(&from, &to, user).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_later_syncs_continues_migrate_and_stops() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[900; 30], 1).await;
    let service = Service::idle();
    let address = |port: u16| format!("imap+plain://annb@127.0.0.1:{port}");
    let (old, new) = (address(from.port()), address(to.port()));
    let mut migrate = service.command(&["migrate", "--from", &old, "--to", &new]);
    migrate.env("MAILHAUL_FROM_PASSWORD", "secret-annb").env("MAILHAUL_TO_PASSWORD", "secret-annb");
    ran(&mut migrate).assert(0);
    give(&from, "annb", "INBOX", &[900; 5], 2).await;

    let mut service = service;
    service.run();
    service.endpoints(from.port(), to.port(), &[]);
    let csv = service.csv(&["annb".to_owned()]);
    let new = ["New-MigrationBatch", "-Name", "Once", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    let more = ["-CSVData", &csv, "-AutoStart", "-AllowIncrementalSyncs", "false"];
    service.expect(&[&new[..], &more].concat());
    let batch = service.wait_for("Once", &["Stopped"]);
    assert_eq!(batch["SyncedItemCount"], 35, "{batch:#}");
    assert_same(&from, &to, "annb").await;
    let statistics = service.expect(&["Get-MigrationUserStatistics", "annb@contoso.edu"]).remove(0);
    let inbox = &statistics["Folders"][0];
    assert_eq!((inbox["CopiedCount"].as_u64(), inbox["AlreadyThereCount"].as_u64()), (Some(5), Some(30)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_administrator_opens_the_mailboxes_of_both_sides() {
    let admin = |separator: &str| {
        format!(
            "auth_master_user_separator = {separator}\npassdb {{\n driver = static\n master = yes\n \
             args = password=admin-hunter2\n}}\n"
        )
    };
    let (from, to) = (
        Setup { extra: admin("*"), ..Setup::with_users(&["annb", "paulc"]) }.start(),
        Setup { extra: admin("*"), ..Setup::with_users(&["annb", "paulc"]) }.start(),
    );
    for (seed, user) in (1..).zip(["annb", "paulc"]) {
        give(&from, user, "INBOX", &[900; 12], seed).await;
    }
    let service = Service::start();
    let file = service.write("admin.password", "admin-hunter2\n");
    let (old, new) = (from.port().to_string(), to.port().to_string());
    let endpoint = |name: &str, port: &str, more: &[&str]| {
        let words =
            ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1", "-Port", port];
        let admin = ["-Security", "None", "-Credential", "mailadmin", "-CredentialPasswordFile", &file];
        service.expect(&[&words[..], &admin, more].concat());
    };
    // By a form of the login on one side, by the authorization identity on the other.
    endpoint("Old", &old, &["-UserNameTemplate", "{user}*{admin}"]);
    endpoint("New", &new, &[]);
    let csv = service.write(
        "users.csv",
        "EmailAddress,UserName,TargetUserName\nannb@contoso.edu,annb,annb\npaulc@contoso.edu,paulc,paulc\n",
    );
    let new = ["New-MigrationBatch", "-Name", "Admin", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    service.wait_for("Admin", &["Synced", "SyncedWithErrors", "Failed"]);
    for user in ["annb", "paulc"] {
        let shown = service.user(&format!("{user}@contoso.edu"));
        assert_eq!(shown["Status"], "Synced", "{shown:#}");
        assert_same(&from, &to, user).await;
    }
}
