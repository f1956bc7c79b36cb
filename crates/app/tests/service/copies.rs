//! Data that moves from a directory to a server and back, by the program.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use mailhaul_engine::{CopyRecord, Ledger as _, LedgerRecord, MessageState};
use mailhaul_mail::{Fingerprint, FolderPath, Uid, UidValidity};
use mailhaul_store::{Home, Store, inspect};
use mailhaul_testkit::{Postgres, Setup};
use tokio::runtime::Handle;

use crate::{
    on_server::{machine, write_key},
    support::{Ran, Service, assert_same, give, names, ran, until},
};

/// The program without a data directory of its own.
fn program(server: &Postgres, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhaul"));
    command.env("MAILHAUL_RESOLVERS", "none");
    command.args(words).env("PGPASSWORD", server.password()).stdin(Stdio::null());
    command
        .env_remove("MAILHAUL_DATA")
        .env_remove("MAILHAUL_DATABASE")
        .env_remove("MAILHAUL_MASTER_KEY_FILE");
    command
}

fn copy(server: &Postgres, from: &str, to: &str) -> Ran {
    ran(&mut program(server, &["database", "copy", "--from", from, "--to", to]))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The lines of a finished copy that name tables, with their rows and digests.
fn tables(copied: &Ran) -> Vec<&str> {
    let is_table = |line: &&str| line.split_whitespace().count() == 3 && !line.contains(',');
    copied.stdout.lines().filter(is_table).collect()
}

/// Runs a pass of each mailbox, which must copy nothing.
async fn sync_again(service: &Service, users: &[String], servers: [&mailhaul_testkit::Dovecot; 2]) {
    let times = || -> Vec<_> {
        let user = |name: &String| service.user(&format!("{name}@contoso.edu"));
        users.iter().map(|name| user(name)["LastSuccessfulSyncTime"].clone()).collect()
    };
    let before = times();
    let bytes = |service: &Service| service.batch("Staff")["BytesTransferred"].clone();
    let copied = bytes(service);
    service.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    until(|| times().iter().zip(&before).all(|(now, before)| now != before).then_some(()));
    service.wait_for("Staff", &["Synced"]);
    assert_eq!(bytes(service), copied);
    for user in users {
        assert_same(servers[0], servers[1], user).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_batch_goes_on_with_passes_that_copy_nothing() {
    let users = names(3);
    let list: Vec<&str> = users.iter().map(String::as_str).collect();
    let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
    for (seed, user) in (1..).zip(&users) {
        give(&from, user, "INBOX", &[1_500; 20], seed).await;
        give(&from, user, "Sent", &[900; 5], seed + 10).await;
    }
    let server = Postgres::start(&[]);
    let mut first = Service::start();
    first.endpoints(from.port(), to.port(), &[]);
    let csv = first.csv(&users);
    let new = ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    first.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    first.wait_for("Staff", &["Synced"]);
    let data = first.data();
    let refused = copy(&server, text(&data), &server.url());
    refused.assert(4);
    assert!(refused.stderr.contains("another mailhaul serve (process "), "{}", refused.stderr);
    assert_eq!(first.stop(), Some(0));
    let there = copy(&server, text(&data), &server.url());
    there.assert(0);
    assert!(there.stdout.contains(&format!("its file is {}/master.key", data.display())), "{}", there.stdout);
    let refused = first.ask(&["serve"]);
    refused.assert(2);
    let words = format!(
        "the data in {} was moved to the database mailhaul at 127.0.0.1:{}: continue there",
        data.display(),
        server.port()
    );
    assert!(refused.stderr.contains(&words), "{}", refused.stderr);

    let mut second = machine(&server, &data.join("master.key"));
    second.run();
    sync_again(&second, &users, [&from, &to]).await;
    give(&from, "user1", "INBOX", &[1_500; 2], 99).await;
    second.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    until(|| (second.user("user1@contoso.edu")["SyncedItemCount"] == 27).then_some(()));
    assert_eq!(second.stop(), Some(0));

    let mut third = Service::idle();
    copy(&server, &server.url(), text(&third.data())).assert(0);
    fs::copy(data.join("master.key"), third.data().join("master.key")).unwrap();
    third.run();
    sync_again(&third, &users, [&from, &to]).await;
}

/// Messages of a ledger: more pages than the program is killed at.
const MESSAGES: u32 = 150_000;

/// Fills the ledger of one mailbox.
async fn fill(data: &Path) {
    let store = Store::open(data).await.unwrap();
    let ledger = store.ledgers().mailbox("anna@old.example", "anna@new.example").await.unwrap();
    let folder = FolderPath::inbox();
    let uid_validity = UidValidity::new(1).unwrap();
    let opened = LedgerRecord::Opened { folder: folder.clone(), target: folder.clone(), uid_validity };
    ledger.record(&[opened]).await.unwrap();
    let done = |number: u32| {
        let copied = CopyRecord {
            target_uid: Uid::new(number),
            flags: ["\\Seen"].into_iter().collect(),
            pending_flags: None,
            fingerprint: Fingerprint::from_bytes(u128::from(number).to_be_bytes()),
            digests: None,
            size: 40_000 + u64::from(number),
            arrived: Some(1_700_000_000),
            ours: true,
            edited: None,
        };
        let state = Some(MessageState::Done(copied));
        LedgerRecord::Message { folder: folder.clone(), uid: Uid::new(number).unwrap(), state }
    };
    let numbers: Vec<u32> = (1..=MESSAGES).collect();
    for numbers in numbers.chunks(10_000) {
        ledger.record(&numbers.iter().copied().map(done).collect::<Vec<_>>()).await.unwrap();
    }
    drop(ledger);
    store.close().await;
}

/// Kills a copy ten times, each time after it copied something. Returns the report of the last run.
fn kill_ten_times(server: &Postgres, from: &str, to: &str, rows: impl Fn() -> u64) -> Ran {
    for _ in 0..10 {
        let before = rows();
        let words = ["database", "copy", "--from", from, "--to", to];
        let mut process = program(server, &words).stderr(Stdio::null()).spawn().unwrap();
        until(|| (rows() > before).then_some(()));
        process.kill().unwrap();
        assert_eq!(process.wait().unwrap().code(), None, "it had ended before it was killed");
        assert!(rows() < u64::from(MESSAGES));
    }
    let last = copy(server, from, to);
    last.assert(0);
    assert!(last.stderr.contains("found "), "{}", last.stderr);
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_ten_times_is_equal() {
    let places = tempfile::tempdir().unwrap();
    let (one, whole, back) =
        (places.path().join("one"), places.path().join("whole"), places.path().join("back"));
    fill(&one).await;
    let server = Postgres::start(&[]);
    let count =
        || server.ask("SELECT CASE WHEN to_regclass('message') IS NULL THEN 0 ELSE 1 END").parse::<u64>();
    let rows = || match count() {
        Ok(1) => server.ask("SELECT count(*) FROM message").parse().unwrap(),
        _ => 0,
    };
    let there = kill_ten_times(&server, text(&one), &server.url(), rows);
    // Not killed: the digests of a copy are the same.
    let undisturbed = copy(&server, &server.url(), text(&whole));
    undisturbed.assert(0);
    assert_eq!(tables(&undisturbed), tables(&there));
    assert!(tables(&there).iter().any(|line| line.contains("150000")), "{}", there.stdout);

    server.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    copy(&server, text(&whole), &server.url()).assert(0);
    let rows = || tokio::task::block_in_place(|| Handle::current().block_on(messages_in(&back)));
    let last = kill_ten_times(&server, &server.url(), text(&back), rows);
    assert_eq!(tables(&last), tables(&there));
}

/// Messages in a directory, which another process may fill. An unfinished file has none.
async fn messages_in(data: &Path) -> u64 {
    let Ok(found) = inspect(&Home::Directory(data.to_owned())).await else { return 0 };
    found.tables.iter().find(|table| table.name == "message").map_or(0, |table| table.rows)
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let keys = tempfile::tempdir().unwrap();
    let (server, key) = (Postgres::start(&[]), write_key(keys.path()));
    let with_password = server.url().replace("mailhaul@", "mailhaul:hunter2@");
    let nothing = keys.path().join("nothing");
    let used = machine(&server, &key);
    used.endpoints(1, 2, &["-SkipVerification"]);
    let own = Service::idle();
    own.endpoints(1, 2, &["-SkipVerification"]);
    let own = own.data();
    for (from, to, code, words) in [
        (text(&own), with_password.as_str(), 2, "--to: it holds a password"),
        (with_password.as_str(), text(&own), 2, "--from: it holds a password"),
        (text(&own), "mysql://db/hunter2", 2, "--to: it does not begin with postgres://"),
        (text(&nothing), server.url().as_str(), 3, "there is no data in "),
        (text(&own), server.url().as_str(), 4, "is not empty"),
        (text(&own), text(&own), 2, "cannot be copied to itself"),
        (text(&own), "postgres://mailhaul@127.0.0.1:1/mailhaul", 6, "the database mailhaul at 127.0.0.1:1"),
    ] {
        let refused = copy(&server, from, to);
        refused.assert(code);
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    }
    assert!(!nothing.exists());
}

#[test]
fn a_check_names_what_is_wrong() {
    let keys = tempfile::tempdir().unwrap();
    let (server, key) = (Postgres::start(&["fsync=off"]), write_key(keys.path()));
    let mut service = machine(&server, &key);
    service.ask(&["database", "check"]).assert(0);
    service.run();
    let found = service.ask(&["database", "check"]);
    found.assert(0);
    for words in [
        "catalogue: complete",
        "living services: 1 (node ",
        "\nmessage ",
        "warning: fsync is off",
        "note: no synchronous standby",
    ] {
        assert!(found.stdout.contains(words), "{words}: {}", found.stdout);
    }
    assert_eq!(service.stop(), Some(0));
    server.ask("DROP INDEX usage_hour");
    let found = service.ask(&["database", "check"]);
    found.assert(1);
    assert!(found.stdout.contains("error: the index usage_hour is missing"), "{}", found.stdout);

    let mut service = Service::start();
    let found = service.ask(&["database", "check"]);
    found.assert(0);
    assert!(found.stdout.contains("integrity: the file is undamaged"), "{}", found.stdout);
    assert!(found.stdout.contains("living services: 1"), "{}", found.stdout);
    assert_eq!(service.stop(), Some(0));
    let found = service.ask(&["database", "check"]);
    assert!(found.stdout.contains("living services: 0"), "{}", found.stdout);
    service.set("MAILHAUL_DATABASE", "postgres://mailhaul@127.0.0.1:1/mailhaul".into());
    service.ask(&["database", "check"]).assert(6);
}
