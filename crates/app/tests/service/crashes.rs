//! Crashes and restarts of the service.

use std::{thread::sleep, time::Duration};

use mailhaul_testkit::{Faults, Proxy, Setup};

use crate::support::{Service, assert_same, give, names, ran, until};

#[tokio::test(flavor = "multi_thread")]
async fn users_go_on_after_kill_9_and_nothing_is_doubled() {
    let users = names(12);
    let list: Vec<&str> = users.iter().map(String::as_str).collect();
    let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
    for (seed, user) in (1..).zip(&users) {
        give(&from, user, "INBOX", &[3_000; 150], seed).await;
        give(&from, user, "Größe/deep", &[300_000, 500, 40_000], seed + 100).await;
    }
    let slow = Faults { delay: Duration::from_millis(5), ..Faults::default() };
    let source = Proxy::start(from.port(), slow);
    let mut service = Service::start();
    service.endpoints(source.port(), to.port(), &["-MaxConcurrentMigrations", "10"]);
    let csv = service.csv(&users);
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    for pause in [150, 400, 700, 100] {
        until(|| (source.open() > 0 || service.batch("B")["Status"] == "Synced").then_some(()));
        sleep(Duration::from_millis(pause));
        service.kill();
        service.run();
    }
    // Without anybody's help.
    let batch = service.wait_for("B", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!(batch["Status"], "Synced", "{batch:#}");
    for user in &users {
        assert_same(&from, &to, user).await;
    }
}

#[test]
fn two_services_on_one_data_directory() {
    let service = Service::start();
    let second = ran(&mut service.command(&["serve"]));
    assert_ne!(second.code, Some(0));
    assert!(second.stderr.contains("data"), "{}", second.stderr);
    // The first is not disturbed.
    assert!(service.expect(&["Get-MigrationBatch"]).is_empty());
}

#[test]
fn without_a_service_operations_work_and_say_that_nothing_moves() {
    let service = Service::idle();
    let words =
        ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "127.0.0.1", "-SkipVerification"];
    let made = service.ask(&words);
    made.assert(0);
    let csv = service.csv(&names(2));
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv, "-AutoStart"];
    let made = service.ask(&new);
    made.assert(0);
    assert!(made.stderr.contains("no mail is moved until `mailhaul serve` runs"), "{}", made.stderr);
    assert_eq!(service.batch("b")["Status"], "Starting");
}
