//! The service with its data in a `PostgreSQL` database, on several machines.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mailhaul_testkit::{Dovecot, Faults, Postgres, Proxy, Setup, signal};
use tempfile::TempDir;

use crate::support::{Service, assert_same, give, names, until};

pub(crate) const MESSAGES: usize = 40;

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

/// The nodes as one of the machines sees them: name, state and mailboxes.
fn nodes(service: &Service) -> Vec<(String, String, u64)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let of = |node: &serde_json::Value| {
        (text(&node["Identity"]), text(&node["State"]), node["Mailboxes"].as_u64().unwrap())
    };
    service.expect(&["Get-MigrationNode"]).iter().map(of).collect()
}

/// Number of mailboxes that the node migrates; `None` if there is no such node.
pub(crate) fn mailboxes_of(service: &Service, node: &str) -> Option<u64> {
    nodes(service).into_iter().find(|(name, _, _)| name == node).map(|(_, _, mailboxes)| mailboxes)
}

/// Users on two Dovecots, a slow way to the first one, and a database.
pub(crate) struct Site {
    pub(crate) users: Vec<String>,
    pub(crate) from: Dovecot,
    to: Dovecot,
    pub(crate) source: Proxy,
    pub(crate) server: Postgres,
    pub(crate) keys: TempDir,
}

impl Site {
    pub(crate) async fn new(count: usize) -> Self {
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
    pub(crate) async fn give_mail(&self, first_seed: u64) {
        for (seed, user) in (first_seed..).zip(&self.users) {
            give(&self.from, user, "INBOX", &[1_500; MESSAGES], seed).await;
        }
    }

    pub(crate) fn machine(&self) -> Service {
        machine(&self.server, &write_key(self.keys.path()))
    }

    /// Starts a node.
    pub(crate) fn node(&self, name: &str) -> Service {
        let mut service = self.machine();
        service.run_with(&["--name", name]);
        service
    }

    /// Starts a batch of all users, with this limit on connections.
    pub(crate) fn start_batch(&self, service: &Service, connections: &str) {
        service.endpoints(self.source.port(), self.to.port(), &["-MaxConcurrentMigrations", connections]);
        let csv = service.csv(&self.users);
        let new =
            ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
        service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    }

    /// Waits until a user has this number of messages. Two users at a time are copied, so that others wait.
    fn wait_for_first(&self, service: &Service, messages: usize) {
        until(|| self.users.iter().any(|it| has_synced(service, it, messages)).then_some(()));
    }

    /// Waits until each user has this number of messages, and compares.
    pub(crate) async fn assert_synced(&self, service: &Service, messages: usize) {
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

pub(crate) fn has_synced(service: &Service, user: &str, messages: usize) -> bool {
    let user = service.user(&format!("{user}@contoso.edu"));
    user["SyncedItemCount"] == messages && user["Status"] == "Synced"
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_of_a_lost_machine_continue_on_another() {
    let site = Site::new(8).await;
    let mut first = site.node("mail1");
    site.start_batch(&first, "2");
    until(|| (first.batch("Staff")["SyncedCount"].as_u64() >= Some(2)).then_some(()));
    let mut second = site.node("mail2");
    // The first one has mailboxes when it is lost.
    until(|| (mailboxes_of(&second, "mail1") > Some(0)).then_some(()));
    first.kill();
    // Each command works without a service on its machine too.
    assert_eq!(first.batch("Staff")["TotalCount"], 8);
    site.assert_synced(&second, MESSAGES).await;
    until(|| mailboxes_of(&second, "mail1").is_none().then_some(()));

    // A stopped process is a lost machine too. When it wakes, nothing is there twice, and it takes part again.
    let third = site.node("mail3");
    let before = third.expect(&["Get-MigrationNode", "mail2"]).remove(0)["Guid"].clone();
    site.give_mail(99).await;
    third.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    until(|| (mailboxes_of(&third, "mail2") > Some(0)).then_some(()));
    signal("STOP", &[second.id()]);
    site.assert_synced(&third, 2 * MESSAGES).await;
    until(|| mailboxes_of(&third, "mail2").is_none().then_some(()));
    signal("CONT", &[second.id()]);
    until(|| {
        let nodes = third.expect(&["Get-MigrationNode"]);
        nodes.iter().any(|node| node["Identity"] == "mail2" && node["Guid"] != before).then_some(())
    });
    site.assert_same().await;
    // An orderly end gives everything back at once.
    assert_eq!(second.stop(), Some(0));
    assert_eq!(mailboxes_of(&third, "mail2"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_share_the_work_and_the_limits() {
    let site = Site::new(30).await;
    let services = ["mail1", "mail2", "mail3"].map(|name| site.node(name));
    site.start_batch(&services[0], "18");
    // Each gets its share of the connections.
    until(|| {
        let nodes = nodes(&services[1]);
        nodes.iter().all(|(_, _, mailboxes)| *mailboxes > 0).then_some(())
    });
    // A node that is drained gives its mailboxes to the others, and begins none.
    services[0].expect(&["Set-MigrationNode", "mail2", "-Drain", "$true"]);
    until(|| (mailboxes_of(&services[0], "mail2") == Some(0)).then_some(()));
    // An order reaches workers on other nodes.
    services[1].expect(&["Stop-MigrationBatch", "Staff"]);
    until(|| {
        let busy = nodes(&services[0]).iter().map(|(_, _, mailboxes)| mailboxes).sum::<u64>();
        (busy == 0).then_some(())
    });
    services[1].expect(&["Start-MigrationBatch", "Staff"]);
    site.assert_synced(&services[2], MESSAGES).await;
    assert_eq!(nodes(&services[0])[1], ("mail2".to_owned(), "Draining".to_owned(), 0));
    // Checks and passes of all nodes together.
    assert!(site.source.most() <= 18, "{} connections", site.source.most());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_database_fails_no_user() {
    let mut site = Site::new(4).await;
    let service = site.node("mail1");
    site.start_batch(&service, "2");
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
}
