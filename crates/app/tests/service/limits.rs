//! Limits on concurrent mailboxes.

use std::{thread::sleep, time::Duration};

use mailhaul_testkit::{Dovecot, Faults, Proxy, Setup};

use crate::support::{Service, give, names, until};

fn servers(users: &[String]) -> (Dovecot, Dovecot) {
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    (Setup::with_users(&users).start(), Setup::with_users(&users).start())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_users_keep_to_the_endpoints_limit() {
    let users = names(200);
    let (from, to) = servers(&users);
    // One is filled over the wire, the others get its files.
    give(&from, "user1", "INBOX", &[2_000; 40], 1).await;
    give(&from, "user1", "Sent", &[2_000; 20], 2).await;
    for user in &users[1..] {
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .args([from.home("user1"), from.home(user)])
            .status()
            .unwrap();
        assert!(copied.success());
    }
    let slow = Faults { delay: Duration::from_millis(15), ..Faults::default() };
    let source = Proxy::start(from.port(), slow);
    let service = Service::start();
    service.endpoints(source.port(), to.port(), &["-MaxConcurrentMigrations", "25"]);
    let csv = service.csv(&users);
    service.expect(&[
        "New-MigrationBatch",
        "-Name",
        "All",
        "-SourceEndpoint",
        "Old",
        "-TargetEndpoint",
        "New",
        "-CSVData",
        &csv,
        "-AutoStart",
    ]);
    until(|| (source.open() >= 20).then_some(()));
    let most = source.most();
    assert!(most <= 25, "{most} sessions");
    // Fewer from now on: workers come to the end of their window.
    service.expect(&[
        "Set-MigrationEndpoint",
        "Old",
        "-MaxConcurrentMigrations",
        "5",
        "-MaxConcurrentIncrementalSyncs",
        "5",
    ]);
    until(|| (source.open() <= 5).then_some(()));
    let _before = source.most();
    sleep(Duration::from_secs(2));
    let most = source.most();
    assert!(most <= 5, "{most} sessions");
    service.expect(&["Set-MigrationEndpoint", "Old", "-MaxConcurrentMigrations", "25"]);
    let batch = service.wait_for("All", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!(
        (batch["Status"].as_str(), batch["SyncedCount"].as_u64(), batch["SyncedItemCount"].as_u64()),
        (Some("Synced"), Some(200), Some(200 * 60)),
        "{batch:#}"
    );
    let most = source.most();
    assert!(most <= 25, "{most} sessions");
    // No message twice, although passes were broken off and taken up again.
    for user in ["user1", "user77", "user200"] {
        crate::support::assert_same(&from, &to, user).await;
    }
}
