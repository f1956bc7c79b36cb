//! The service with its data in a `PostgreSQL` database, on one machine after another.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mailhaul_testkit::{Dovecot, Faults, Postgres, Proxy, Setup, signal};
use tempfile::TempDir;

use crate::support::{Service, assert_same, give, names, until};

const MESSAGES: usize = 40;

/// A machine with a data directory of its own, and the database.
pub(crate) fn machine(server: &Postgres, key: &Path) -> Service {
    let mut service = Service::idle();
    service.set("MAILHAUL_DATABASE", server.url().into());
    service.set("PGPASSWORD", server.password().into());
    service.set("MAILHAUL_MASTER_KEY_FILE", key.to_owned());
    service
}

/// Writes a master key, the same for all machines.
pub(crate) fn write_key(directory: &Path) -> std::path::PathBuf {
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

/// Users on two Dovecots, a slow way to the first one, and a database.
struct Site {
    users: Vec<String>,
    from: Dovecot,
    to: Dovecot,
    source: Proxy,
    server: Postgres,
    keys: TempDir,
}

impl Site {
    async fn new(count: usize) -> Self {
        let users = names(count);
        let list: Vec<&str> = users.iter().map(String::as_str).collect();
        let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
        let slow = Faults { rate: Some(20_000), ..Faults::default() };
        let source = Proxy::start(from.port(), slow);
        let keys = tempfile::tempdir().unwrap();
        let site = Self { users, from, to, source, server: Postgres::start(&[]), keys };
        site.give_mail(1).await;
        site
    }

    /// Gives each user new mail on the source.
    async fn give_mail(&self, first_seed: u64) {
        for (seed, user) in (first_seed..).zip(&self.users) {
            give(&self.from, user, "INBOX", &[1_500; MESSAGES], seed).await;
        }
    }

    fn machine(&self) -> Service {
        machine(&self.server, &write_key(self.keys.path()))
    }

    /// Runs the service, and starts a batch of all users.
    fn start_batch(&self) -> Service {
        let mut service = self.machine();
        service.run();
        service.endpoints(self.source.port(), self.to.port(), &["-MaxConcurrentMigrations", "2"]);
        let csv = service.csv(&self.users);
        let new =
            ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
        service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
        service
    }

    /// Waits until a user has this number of messages. Two users at a time are copied, so that others wait.
    fn wait_for_first(&self, service: &Service, messages: usize) {
        until(|| self.users.iter().any(|it| has_synced(service, it, messages)).then_some(()));
    }

    /// Waits until each user has this number of messages, and compares.
    async fn assert_synced(&self, service: &Service, messages: usize) {
        until(|| self.users.iter().all(|it| has_synced(service, it, messages)).then_some(()));
        let batch = service.wait_for("Staff", &["Synced", "SyncedWithErrors", "Failed"]);
        assert_eq!(batch["Status"], "Synced", "{batch:#}");
        self.assert_same().await;
    }

    async fn assert_same(&self) {
        for user in &self.users {
            assert_same(&self.from, &self.to, user).await;
        }
    }
}

fn has_synced(service: &Service, user: &str, messages: usize) -> bool {
    let user = service.user(&format!("{user}@contoso.edu"));
    user["SyncedItemCount"] == messages && user["Status"] == "Synced"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_machine_continues_when_the_first_is_lost() {
    let site = Site::new(8).await;
    let mut first = site.start_batch();
    until(|| (first.batch("Staff")["SyncedCount"].as_u64() >= Some(2)).then_some(()));
    first.kill();
    // Each command works without a service too.
    assert_eq!(first.batch("Staff")["TotalCount"], 8);

    let mut second = site.machine();
    take_over(&site.server, &mut second);
    site.assert_synced(&second, MESSAGES).await;

    // A stopped process is a lost machine too. When it wakes it ends, and nothing is there twice.
    site.give_mail(99).await;
    second.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    site.wait_for_first(&second, 2 * MESSAGES);
    signal("STOP", &[second.id()]);
    let mut third = site.machine();
    take_over(&site.server, &mut third);
    third.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    site.assert_synced(&third, 2 * MESSAGES).await;
    signal("CONT", &[second.id()]);
    assert_eq!(second.ended(), Some(1));
    site.assert_same().await;
    // An orderly end gives the right back at once.
    assert_eq!(third.stop(), Some(0));
    second.run();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_database_fails_no_user() {
    let mut site = Site::new(4).await;
    let service = site.start_batch();
    site.wait_for_first(&service, MESSAGES);
    site.server.restart();
    site.assert_synced(&service, MESSAGES).await;
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
