//! The service with its data in a `PostgreSQL` database, on one machine after another.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use mailhaul_testkit::{Faults, Postgres, Proxy, Setup, signal};

use crate::support::{Service, assert_same, give, names, until};

const MESSAGES: usize = 40;

/// A machine with a data directory of its own, and the database.
fn machine(server: &Postgres, key: &Path) -> Service {
    let mut service = Service::idle();
    service.set("MAILHAUL_DATABASE", server.url().into());
    service.set("PGPASSWORD", server.password().into());
    service.set("MAILHAUL_MASTER_KEY_FILE", key.to_owned());
    service
}

/// Writes a master key, the same for all machines.
fn write_key(directory: &Path) -> std::path::PathBuf {
    let file = directory.join("master.key");
    fs::write(&file, "5a".repeat(32)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// Starts the service of the second machine once the right of the first one has ended.
fn take_over(server: &Postgres, second: &mut Service) {
    let mut serve = second.command(&["serve"]);
    let refused = crate::support::ran(&mut serve);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("another mailhaul serve (process "), "{}", refused.stderr);
    assert!(refused.stderr.contains("runs with the data in the database mailhaul at"), "{}", refused.stderr);
    until(|| {
        let ended = "SELECT until <= extract(epoch FROM clock_timestamp()) * 1000 FROM service";
        (server.ask(ended).trim() == "t").then_some(())
    });
    second.run();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_machine_continues_when_the_first_is_lost() {
    let users = names(8);
    let list: Vec<&str> = users.iter().map(String::as_str).collect();
    let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
    for (seed, user) in (1..).zip(&users) {
        give(&from, user, "INBOX", &[1_500; MESSAGES], seed).await;
    }
    let slow = Faults { delay: Duration::from_millis(20), ..Faults::default() };
    let source = Proxy::start(from.port(), slow);
    let keys = tempfile::tempdir().unwrap();
    let (server, key) = (Postgres::start(&[]), write_key(keys.path()));
    let mut first = machine(&server, &key);
    first.run();
    first.endpoints(source.port(), to.port(), &["-MaxConcurrentMigrations", "2"]);
    let csv = first.csv(&users);
    let new = ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    first.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    until(|| (first.batch("Staff")["SyncedCount"].as_u64() >= Some(2)).then_some(()));
    first.kill();
    // Each command works without a service too.
    assert_eq!(first.batch("Staff")["TotalCount"], 8);

    let mut second = machine(&server, &key);
    take_over(&server, &mut second);
    let synced = second.wait_for("Staff", &["Synced", "SyncedWithErrors"]);
    assert_eq!(synced["Status"], "Synced", "{synced:#}");
    for user in &users {
        assert_same(&from, &to, user).await;
    }

    // A stopped process is a lost machine too. When it wakes it ends, and nothing is there twice.
    give(&from, "user1", "INBOX", &[1_500; MESSAGES], 99).await;
    second.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    until(|| (source.open() > 0).then_some(()));
    signal("STOP", &[second.id()]);
    let mut third = machine(&server, &key);
    take_over(&server, &mut third);
    third.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    until(|| {
        let user = third.user("user1@contoso.edu");
        (user["SyncedItemCount"] == 2 * MESSAGES && user["Status"] == "Synced").then_some(())
    });
    signal("CONT", &[second.id()]);
    assert_eq!(second.ended(), Some(1));
    for user in &users {
        assert_same(&from, &to, user).await;
    }
    // An orderly end gives the right back at once.
    assert_eq!(third.stop(), Some(0));
    second.run();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_database_fails_no_user() {
    let users = names(4);
    let list: Vec<&str> = users.iter().map(String::as_str).collect();
    let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
    for (seed, user) in (1..).zip(&users) {
        give(&from, user, "INBOX", &[1_500; MESSAGES], seed).await;
    }
    let slow = Faults { delay: Duration::from_millis(20), ..Faults::default() };
    let source = Proxy::start(from.port(), slow);
    let keys = tempfile::tempdir().unwrap();
    let (mut server, key) = (Postgres::start(&[]), write_key(keys.path()));
    let mut service = machine(&server, &key);
    service.run();
    service.endpoints(source.port(), to.port(), &["-MaxConcurrentMigrations", "2"]);
    let csv = service.csv(&users);
    let new = ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    until(|| (source.open() > 0).then_some(()));
    server.restart();
    let synced = service.wait_for("Staff", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!(synced["Status"], "Synced", "{synced:#}");
    for user in &users {
        assert_same(&from, &to, user).await;
    }
}

#[test]
fn what_cannot_be_opened_is_refused_without_the_password() {
    let keys = tempfile::tempdir().unwrap();
    let (server, key) = (Postgres::start(&[]), write_key(keys.path()));
    let table = [
        (server.url().replace("mailhaul@", "mailhaul:hunter2@"), "right", "it holds a password"),
        (server.url(), "hunter2", "password authentication failed"),
        (
            "postgres://mailhaul@127.0.0.1:1/mailhaul".to_owned(),
            "right",
            "the database mailhaul at 127.0.0.1:1",
        ),
        ("hunter2".to_owned(), "right", "does not begin with postgres://"),
    ];
    for (url, password, words) in table {
        let mut service = machine(&server, &key);
        service.set("MAILHAUL_DATABASE", url.clone().into());
        if password != "right" {
            service.set("PGPASSWORD", password.into());
        }
        for command in [&["serve"][..], &["batch", "get"], &["Get-MigrationBatch"]] {
            let refused = service.ask(command);
            assert_eq!(refused.code, Some(2), "{url}: {}", refused.stderr);
            assert!(refused.stderr.contains(words), "{url}: {}", refused.stderr);
            assert!(!refused.stderr.contains("hunter2"), "{url}: {}", refused.stderr);
        }
    }
    let mut service = machine(&server, &key);
    service.set("MAILHAUL_MASTER_KEY_FILE", "".into());
    let refused = service.ask(&["batch", "get"]);
    assert!(refused.stderr.contains("MAILHAUL_MASTER_KEY_FILE"), "{}", refused.stderr);
    let service = machine(&server, &key);
    let refused =
        service.ask(&["migrate", "--from", "imaps://a@old.example", "--to", "imaps://a@new.example"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("migrate keeps its ledger in a data directory"), "{}", refused.stderr);
    service.endpoints(1, 2, &["-SkipVerification"]);
    let csv = service.csv(&names(1));
    let archive = ["New-MigrationBatch", "-Name", "A", "-SourceEndpoint", "Old", "-CSVData", &csv];
    let refused = service.ask(&archive);
    assert!(refused.stderr.contains("the archive is on one machine"), "{}", refused.stderr);
}
