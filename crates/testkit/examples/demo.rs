//! `make demo`: migrates three mailboxes between two real Dovecots, and compares everything.
//!
//! The first argument is the program `mailhaul`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a demonstration shows, and stops where it fails"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpListener,
    path::Path,
    process::{Command, ExitCode},
    thread::sleep,
    time::Duration,
};

use mailhaul_imap::MailboxName;
use mailhaul_testkit::{Dovecot, Mailbox, Mailmaker, Setup, connect, differences, fill, snapshot};
use tokio::signal::unix::{SignalKind, signal};

const USERS: [&str; 3] = ["terrya", "annb", "paulc"];
/// Folders with their shares of the messages, in percent.
const FOLDERS: [(&str, u64); 8] = [
    ("INBOX", 40),
    ("Sent", 20),
    ("Archive/2019", 10),
    ("Archive/2020", 10),
    ("Projekte/Größe & Maße", 8),
    ("Клиенты/Счета", 5),
    ("日本語/請求書", 4),
    ("a.b/c d", 3),
];
/// Messages of each user.
const MESSAGES: u64 = 1000;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(program) = env::args().nth(1) else {
        println!("usage: demo PROGRAM");
        return ExitCode::from(2);
    };
    println!("== two private Dovecots start");
    let (old, new) = (Setup::with_users(&USERS).start(), Setup::with_users(&USERS).start());
    println!("   old server: 127.0.0.1:{}   new server: 127.0.0.1:{}", old.port(), new.port());
    println!("== {MESSAGES} messages for each of {}", USERS.join(", "));
    for (seed, user) in (1..).zip(USERS) {
        fill_mailbox(&old, user, seed).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let csv = directory.path().join("users.csv");
    let rows = USERS.map(|user| {
        let password = Dovecot::password(user);
        format!("{user}@contoso.edu,{user},{password},{user},{password}\n")
    });
    fs::write(
        &csv,
        format!("EmailAddress,UserName,Password,TargetUserName,TargetPassword\n{}", rows.concat()),
    )
    .unwrap();
    let migrate = |data: &str| {
        let mut command = Command::new(&program);
        let url = |server: &Dovecot| format!("imap+plain://127.0.0.1:{}", server.port());
        command.args(["migrate", "--from", &url(&old), "--to", &url(&new), "--users"]).arg(&csv);
        command.env("MAILHAUL_RESOLVERS", "none");
        command.arg("--data").arg(directory.path().join(data));
        let shown: Vec<String> = command.get_args().map(|it| it.to_string_lossy().into_owned()).collect();
        println!("$ mailhaul {}", shown.join(" "));
        command.status().unwrap().success()
    };
    println!("== first run: everything is copied");
    let first = migrate("data");
    println!("== second run: nothing changed, nothing is copied");
    let second = migrate("data");
    println!(
        "== comparing every message: octets (BLAKE3), flags, keywords, INTERNALDATE, folder, subscription"
    );
    let mut equal = true;
    for user in USERS {
        let (source, target) = (contents(&old, user).await, contents(&new, user).await);
        let told = differences(&source, &target);
        let messages: usize = source.values().map(|it| it.messages.len()).sum();
        let octets: u64 = source.values().flat_map(|it| &it.messages).map(|it| it.size).sum();
        if told.is_empty() {
            println!("   {user}: {} folders, {messages} messages, {octets} bytes: equal", source.len());
        } else {
            equal = false;
            println!("   {user}: {} differences\n   {}", told.len(), told.join("\n   "));
        }
    }
    if env::var("KEEP").is_ok_and(|it| it == "1") {
        keep(&program, &directory.path().join("data"));
    }
    println!("== both Dovecots stop");
    if first && second && equal {
        println!("demo passed: nothing lost, nothing doubled, nothing changed");
        ExitCode::SUCCESS
    } else {
        println!("demo FAILED");
        ExitCode::FAILURE
    }
}

/// Starts the service on the data of the demo, prints the address of its console, and waits until it ends.
fn keep(program: &str, data: &Path) {
    // Another program could take the port before the service does, which then says so.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    // Ctrl+C reaches both: the service ends, and the demo stops its servers.
    let _interrupts = signal(SignalKind::interrupt()).unwrap();
    println!("== the service starts on the same data, with its web console");
    let mut service =
        Command::new(program).args(["serve", "--listen", &listen, "--data"]).arg(data).spawn().unwrap();
    while service.try_wait().unwrap().is_none() {
        let ticket = Command::new(program).args(["console", "--data"]).arg(data).output().unwrap();
        if ticket.status.success() {
            println!("== the console, for 60 seconds and one sign-in; Ctrl+C ends the demo");
            println!("{}", String::from_utf8_lossy(&ticket.stdout).trim_end());
            break;
        }
        sleep(Duration::from_millis(200));
    }
    service.wait().unwrap();
}

async fn fill_mailbox(server: &Dovecot, user: &str, seed: u64) {
    let mut maker = Mailmaker::new(seed);
    let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
    let mut by_folder: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for _ in 0..MESSAGES {
        let mut share = maker.number(100);
        let chosen = FOLDERS.iter().find(|(_, most)| {
            let found = share < *most;
            share = share.saturating_sub(*most);
            found
        });
        let size = maker.size();
        by_folder.entry(chosen.map_or("INBOX", |(folder, _)| folder)).or_default().push(maker.item(size));
    }
    for (folder, messages) in by_folder {
        fill(&mut session, folder, messages).await;
        if maker.number(2) == 0 {
            session.subscribe(&MailboxName::from_text(folder)).await.unwrap();
        }
    }
    session.logout().await.unwrap();
}

async fn contents(server: &Dovecot, user: &str) -> Mailbox {
    let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
    let mailbox = snapshot(&mut session).await;
    session.logout().await.unwrap();
    mailbox
}
