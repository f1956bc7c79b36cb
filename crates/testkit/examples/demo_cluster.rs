//! `make demo-cluster`: three nodes on one `PostgreSQL` move fifty mailboxes, and one of them is killed.
//!
//! The first argument is the program `mailhaul`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a demonstration shows, and stops where it fails"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mailhaul_testkit::{
    Dovecot, Faults, Mailmaker, Postgres, Proxy, Setup, connect, differences, fill, snapshot,
};
use serde_json::Value;

const MAILBOXES: usize = 50;
/// Messages of each mailbox, for its two folders.
const MESSAGES: [(&str, usize); 2] = [("INBOX", 60), ("Archive", 40)];
/// Bytes per second of each connection to the old server.
const LINE_RATE: u64 = 150_000;
/// Mailboxes that are on the new server when the node is killed.
const SYNCED_BEFORE_KILL: u64 = 10;
/// Longer than the lease of a lost node and the rest of the work.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::main]
async fn main() -> ExitCode {
    let Some(program) = std::env::args().nth(1) else {
        println!("usage: demo_cluster PROGRAM");
        return ExitCode::from(2);
    };
    let users: Vec<String> = (1..=MAILBOXES).map(|number| format!("user{number:02}")).collect();
    println!("== PostgreSQL and two private Dovecots start");
    let database = Postgres::start(&[]);
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let (old, new) = (Setup::with_users(&names).start(), Setup::with_users(&names).start());
    let line = Proxy::start(old.port(), Faults { rate: Some(LINE_RATE), ..Faults::default() });
    println!("== {MAILBOXES} mailboxes with 100 messages each on the old server");
    for (seed, user) in (1..).zip(&users) {
        fill_mailbox(&old, user, seed).await;
    }
    let site = Site::new(program.into(), &database);
    println!("== three nodes start on one database");
    let mut nodes: Vec<Node> = ["mail1", "mail2", "mail3"].map(|name| site.start(name)).into();
    for (name, port) in [("Old", line.port()), ("New", new.port())] {
        let port = port.to_string();
        let server = ["--name", name, "--remote-server", "127.0.0.1", "--port", &port, "--security", "None"];
        site.show(
            &[&["endpoint", "new", "--imap", "--max-concurrent-migrations", "12"][..], &server].concat(),
        );
    }
    let csv = site.write_csv(&users);
    let batch = ["--name", "Staff", "--source-endpoint", "Old", "--target-endpoint", "New", "--auto-start"];
    site.show(&[&["batch", "new"][..], &batch, &["--csv-data", csv.to_str().unwrap()]].concat());
    site.wait("ten mailboxes", |batch, nodes| batch >= SYNCED_BEFORE_KILL && nodes > 0);
    site.show(&["node", "get"]);
    println!("== kill -9 of mail2 in the middle of its mailboxes");
    nodes.remove(1).kill();
    let killed = Instant::now();
    site.show(&["node", "get"]);
    site.wait("all mailboxes", |batch, _| batch == MAILBOXES as u64);
    println!("   all mailboxes are synced {} s after the kill", killed.elapsed().as_secs());
    site.show(&["node", "get"]);
    site.show(&["batch", "get"]);
    println!(
        "== comparing every message: octets (BLAKE3), flags, keywords, INTERNALDATE, folder, subscription"
    );
    let is_equal = compare(&old, &new, &users).await;
    drop(nodes);
    if is_equal {
        println!("demo passed: nothing lost, nothing doubled, nothing changed");
        ExitCode::SUCCESS
    } else {
        println!("demo FAILED");
        ExitCode::FAILURE
    }
}

/// A running node. It is killed with this value.
struct Node(Child);

impl Node {
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A node that was killed before is gone already.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The program with the database and its key.
struct Site {
    program: PathBuf,
    url: String,
    password: &'static str,
    directory: tempfile::TempDir,
}

impl Site {
    fn new(program: PathBuf, database: &Postgres) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("master.key");
        fs::write(&key, "5a".repeat(32)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        Self { program, url: database.url(), password: database.password(), directory }
    }

    fn command(&self, machine: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("MAILHAUL_DATABASE", &self.url).env("PGPASSWORD", self.password);
        command.env("MAILHAUL_MASTER_KEY_FILE", self.directory.path().join("master.key"));
        command.env("MAILHAUL_RESOLVERS", "none");
        command.env("MAILHAUL_DATA", self.directory.path().join(machine)).stdin(Stdio::null());
        command
    }

    /// Starts a node, and waits until it serves.
    fn start(&self, name: &str) -> Node {
        println!("$ mailhaul serve --name {name}");
        let mut serve = self.command(name);
        let mut process = serve.args(["serve", "--name", name]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let served = lines.any(|line| line.contains("mailhaul serves"));
        assert!(served, "the node {name} does not start");
        let name = name.to_owned();
        std::thread::spawn(move || lines.for_each(|line| println!("   {name}: {line}")));
        Node(process)
    }

    /// Runs a command as an administrator does.
    fn show(&self, words: &[&str]) {
        println!("$ mailhaul {}", words.join(" "));
        assert!(self.command("mail1").args(words).args(["--output", "table"]).status().unwrap().success());
    }

    fn ask(&self, words: &[&str]) -> Vec<Value> {
        let answer = self.command("mail1").args(words).args(["--output", "json"]).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    /// Waits for a state of the synced mailboxes, and of the mailboxes that mail2 migrates.
    fn wait(&self, name: &str, is_reached: impl Fn(u64, u64) -> bool) {
        println!("== waiting for {name}");
        let begun = Instant::now();
        let mut told = 0;
        while begun.elapsed() < PATIENCE {
            let synced = self.ask(&["batch", "get", "Staff"])[0]["SyncedCount"].as_u64().unwrap();
            if synced / 10 > told / 10 {
                println!("   {synced} of {MAILBOXES} mailboxes are synced");
                told = synced;
            }
            let second = self.ask(&["node", "get"]).into_iter().find(|node| node["Identity"] == "mail2");
            if is_reached(synced, second.map_or(0, |node| node["Mailboxes"].as_u64().unwrap())) {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("{name}: not reached");
    }

    fn write_csv(&self, users: &[String]) -> PathBuf {
        let row = |user: &String| {
            let password = Dovecot::password(user);
            format!("{user}@contoso.edu,{user},{password},{user},{password}\n")
        };
        let rows: String = users.iter().map(row).collect();
        let file = self.directory.path().join("users.csv");
        write(&file, &format!("EmailAddress,UserName,Password,TargetUserName,TargetPassword\n{rows}"));
        file
    }
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
}

async fn fill_mailbox(server: &Dovecot, user: &str, seed: u64) {
    let mut maker = Mailmaker::new(seed);
    let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
    for (folder, count) in MESSAGES {
        let messages: Vec<_> = (0..count).map(|_| maker.item(4_000)).collect();
        fill(&mut session, folder, messages).await;
    }
    session.logout().await.unwrap();
}

/// Compares all mailboxes of both servers, and prints the differences.
async fn compare(old: &Dovecot, new: &Dovecot, users: &[String]) -> bool {
    let (mut messages, mut is_equal) = (0, true);
    for user in users {
        let mut contents = Vec::new();
        for server in [old, new] {
            let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
            contents.push(snapshot(&mut session).await);
            session.logout().await.unwrap();
        }
        messages += contents[0].values().map(|folder| folder.messages.len()).sum::<usize>();
        let different = differences(&contents[0], &contents[1]);
        if !different.is_empty() {
            is_equal = false;
            println!("   {user}: {}", different.join("\n   "));
        }
    }
    println!("   {} mailboxes, {messages} messages compared", users.len());
    is_equal
}
