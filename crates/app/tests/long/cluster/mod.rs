//! Several nodes on one database: lost, stopped, cut off, and behind a database that moves.
//!
//! The database itself notes the times: a trigger writes each change of a lease, and each end of a node.

mod cut_off;
mod day;
mod rates;
mod standby;
mod takeover;
mod ten_thousand;
mod zombies;

use std::{fs, path::PathBuf, process::Command};

use mailhaul_testkit::{Dovecot, Faults, Postgres, Proxy, Setup, differences};
use tempfile::TempDir;

use crate::{
    common::{contents, give},
    copies::key,
    service::{Service, names, until},
};

/// Notes of the database. Times are its clock's, in milliseconds since 1970.
const NOTES: &str = "
    CREATE TABLE seen_lease (mailbox UUID, owner UUID, fence BIGINT, at BIGINT);
    CREATE FUNCTION see_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen_lease VALUES (NEW.guid, NEW.lease_owner, NEW.fence, extract(epoch FROM clock_timestamp()) * 1000);
        RETURN NULL; END $$;
    CREATE TRIGGER see_lease AFTER UPDATE ON migration_user FOR EACH ROW
        WHEN (OLD.fence <> NEW.fence) EXECUTE FUNCTION see_lease();
    CREATE TABLE seen_node (node UUID, name TEXT, beat BIGINT, at BIGINT);
    CREATE FUNCTION see_node() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen_node VALUES (OLD.guid, OLD.name, OLD.beat, extract(epoch FROM clock_timestamp()) * 1000);
        RETURN NULL; END $$;
    CREATE TRIGGER see_node AFTER DELETE ON node FOR EACH ROW EXECUTE FUNCTION see_node();";

/// Mailboxes of a trial, and the lease of its nodes.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) mailboxes: usize,
    /// Messages of each, and their size.
    pub(super) messages: usize,
    pub(super) size: usize,
    /// Bytes per second of each connection to the source.
    pub(super) rate: Option<u64>,
    /// Seconds.
    pub(super) lease: u64,
    pub(super) seed: u64,
}

impl Plan {
    /// Milliseconds of the lease.
    pub(super) fn lease_millis(self) -> i64 {
        i64::try_from(self.lease * 1000).unwrap()
    }
}

/// Two Dovecots, a database, and proxies before the three.
pub(super) struct Cluster {
    pub(super) plan: Plan,
    pub(super) users: Vec<String>,
    pub(super) from: Dovecot,
    pub(super) to: Dovecot,
    pub(super) source: Proxy,
    pub(super) target: Proxy,
    pub(super) server: Postgres,
    /// The way of all nodes to the database.
    pub(super) database: Proxy,
    files: TempDir,
}

impl Cluster {
    pub(super) async fn new(plan: Plan) -> Self {
        let users = names(plan.mailboxes);
        let list: Vec<&str> = users.iter().map(String::as_str).collect();
        let from = Setup::with_users(&list).start();
        // The file name of a message says when it came.
        let to = Setup { mail_location: "maildir:~/Maildir".to_owned(), ..Setup::with_users(&list) }.start();
        let source = Proxy::start(from.port(), Faults { rate: plan.rate, ..Faults::default() });
        let target = Proxy::start(to.port(), Faults::default());
        let server = Postgres::start(&[]);
        let database = Proxy::start(server.port(), Faults::default());
        let files = tempfile::tempdir().unwrap();
        let cluster = Self { plan, users, from, to, source, target, server, database, files };
        cluster.give_mail(plan.messages, plan.seed).await;
        cluster
    }

    /// Gives each user the same new mail. One is filled over the wire, the others get its files the first time.
    pub(super) async fn give_mail(&self, messages: usize, seed: u64) {
        let is_first = !self.from.home(&self.users[0]).exists();
        for (number, user) in self.users.iter().enumerate() {
            if is_first && number > 0 {
                let copied = Command::new("cp")
                    .arg("-a")
                    .args([self.from.home(&self.users[0]), self.from.home(user)])
                    .status();
                assert!(copied.unwrap().success());
            } else {
                give(&self.from, user, "INBOX", &vec![self.plan.size; messages], seed).await;
            }
        }
    }

    /// A machine that reaches the database by this port.
    pub(super) fn machine(&self, port: u16) -> Service {
        let url = self.server.url().replace(&self.server.port().to_string(), &port.to_string());
        machine(&self.server, url, &self.files)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.files.path().join(format!("{name}.log"))
    }

    /// Starts the service on a machine.
    pub(super) fn run(&self, service: &mut Service, name: &str) {
        self.run_with(service, name, &[]);
    }

    /// The same with further options.
    pub(super) fn run_with(&self, service: &mut Service, name: &str, more: &[&str]) {
        let lease = self.plan.lease.to_string();
        let options = [&["--name", name, "--lease", &lease][..], more].concat();
        service.run_noting(&options, &self.log(name));
    }

    /// Starts a node.
    pub(super) fn node(&self, name: &str) -> Service {
        let mut service = self.machine(self.database.port());
        self.run(&mut service, name);
        service
    }

    /// Starts a batch of all users. The database takes notes from then on.
    pub(super) fn start_batch(&self, service: &Service, connections: usize) {
        self.start_batch_with(service, connections, &[]);
    }

    /// The same with further limits of both endpoints.
    pub(super) fn start_batch_with(&self, service: &Service, connections: usize, limits: &[&str]) {
        self.server.ask(NOTES);
        let limit = connections.to_string();
        let limits = [&["-MaxConcurrentMigrations", &limit][..], limits].concat();
        service.endpoints(self.source.port(), self.target.port(), &limits);
        let csv = service.csv(&self.users);
        let new =
            ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
        service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    }

    /// The answer of the database, which must be a number.
    #[track_caller]
    pub(super) fn number(&self, select: &str) -> i64 {
        let answer = self.server.ask(select);
        answer.trim().parse().unwrap_or_else(|_| panic!("{select}: {answer:?}"))
    }

    /// The GUID of the living node with this name.
    #[track_caller]
    pub(super) fn guid_of(&self, name: &str) -> String {
        self.server.ask(&format!("SELECT guid FROM node WHERE name = '{name}' ORDER BY started DESC LIMIT 1"))
    }

    /// Number of mailboxes with a pass on this node.
    pub(super) fn held_by(&self, guid: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM migration_user WHERE lease_owner = '{guid}'"))
    }

    /// Waits until all users are synced, without a pass, at least `passes` times.
    #[track_caller]
    pub(super) fn wait_until_synced(&self) {
        let open = "SELECT count(*) FROM migration_user WHERE status <> 'Synced' OR lease_owner IS NOT NULL";
        let begun = std::time::Instant::now();
        while self.number(open) > 0 {
            let users = "SELECT status, failure_message, count(*) FROM migration_user GROUP BY 1, 2";
            assert!(begun.elapsed().as_secs() < 300, "{}\n{}", self.server.ask(users), self.logs());
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }

    /// Mailboxes are equal by octets, flags and dates, and nothing is there twice. Returns the number of messages.
    pub(super) async fn assert_same(&self, when: &str) -> usize {
        let mut messages = 0;
        for user in &self.users {
            let source = contents(self.from.port(), user).await;
            let target = contents(self.to.port(), user).await;
            let told = differences(&source, &target);
            assert!(
                told.is_empty(),
                "{when}, {user}, seed {}: {} differences:\n{}\n{}",
                self.plan.seed,
                told.len(),
                told[..told.len().min(10)].join("\n"),
                self.logs()
            );
            messages += source["INBOX"].messages.len();
        }
        messages
    }

    /// Number of messages that are in a target mailbox and not in its source.
    pub(super) async fn doubled(&self) -> usize {
        let mut doubled = 0;
        for user in &self.users {
            let source = contents(self.from.port(), user).await["INBOX"].messages.len();
            let target = contents(self.to.port(), user).await["INBOX"].messages.len();
            doubled += target.saturating_sub(source);
        }
        doubled
    }

    /// Arrival times of all messages on the target in microseconds since 1970, in their order, and their sizes.
    pub(super) fn arrivals(&self) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        for user in &self.users {
            for directory in ["cur", "new"] {
                let directory = self.to.home(user).join("Maildir").join(directory);
                for entry in fs::read_dir(directory).into_iter().flatten() {
                    let name = entry.unwrap().file_name().into_string().unwrap();
                    found.push(arrival(&name).unwrap_or_else(|| panic!("{name}")));
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Last lines of the nodes' logs.
    pub(super) fn logs(&self) -> String {
        let mut text = String::new();
        for name in ["mail1", "mail2", "mail3"] {
            let log = fs::read_to_string(self.log(name)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(15).collect();
            text.push_str(&format!("{name}:\n{}\n", lines.into_iter().rev().collect::<Vec<_>>().join("\n")));
        }
        text
    }
}

/// A machine that reaches the database by this URL. Its master key is in the directory.
fn machine(server: &Postgres, url: String, directory: &TempDir) -> Service {
    let mut service = Service::idle();
    service.set("MAILHAUL_DATABASE", url.into());
    service.set("PGPASSWORD", server.password().into());
    service.set("MAILHAUL_MASTER_KEY_FILE", key(directory.path()));
    service
}

/// Reads `1700000000.M123456P99.host,S=1500,W=1530:2,S`: the time of the delivery, and the size.
fn arrival(name: &str) -> Option<(u64, u64)> {
    let (seconds, rest) = name.split_once(".M")?;
    let micros = rest.split_once('P')?.0;
    let size = name.split_once(",S=")?.1;
    let size = size.split(|it: char| !it.is_ascii_digit()).next()?;
    Some((seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?, size.parse().ok()?))
}

/// Waits until a node with this name has more than so many mailboxes.
#[track_caller]
pub(super) fn wait_for_mailboxes(cluster: &Cluster, name: &str, more_than: i64) -> String {
    until(|| {
        let guid = cluster.guid_of(name);
        (!guid.is_empty() && cluster.held_by(&guid) > more_than).then_some(guid)
    })
}
