//! A large database that moves from a server to a directory, and to another server.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use mailhaul_testkit::Postgres;

use crate::{
    common::{Ran, ran},
    support::extent,
};

/// Mailboxes and messages in each unit of the extent: 1,000 and 10 million in `make test-long`.
const MAILBOXES: u64 = 17;
const MESSAGES: u64 = 10_000;

fn copy(server: &Postgres, from: &str, to: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhaul"));
    command.env("MAILHAUL_RESOLVERS", "none");
    command.args(["database", "copy", "--from", from, "--to", to]).stdin(Stdio::null());
    let started = Instant::now();
    let copied = ran(command.env("PGPASSWORD", server.password()));
    copied.assert(0);
    let rows = copied.stdout.lines().find(|line| line.contains("rows/s")).unwrap_or_default();
    println!("copied in {:?}: {rows}", started.elapsed());
    copied
}

/// The lines of tables, with their rows and digests.
fn tables(copied: &Ran) -> Vec<&str> {
    copied.stdout.lines().take_while(|line| !line.contains("rows/s")).collect()
}

#[test]
fn a_large_ledger_arrives_and_comes_back() {
    let (one, other) = (Postgres::start(&[]), Postgres::start(&[]));
    let places = tempfile::tempdir().unwrap();
    let (first, second) = (places.path().join("first"), places.path().join("second"));
    let [first, second] = [first.to_str().unwrap(), second.to_str().unwrap()];
    // Makes the schema.
    let mut empty = Command::new(env!("CARGO_BIN_EXE_mailhaul"));
    empty
        .args(["audit-log", "get", "--database", &one.url(), "--data", first])
        .env("PGPASSWORD", one.password());
    ran(empty.env("MAILHAUL_MASTER_KEY_FILE", key(places.path()))).assert(0);
    let mailboxes = MAILBOXES * extent();
    one.ask(&format!(
        "INSERT INTO mailbox (source, target, folders, checksum) SELECT 'user' || n || '@old', 'user' || n || '@new', 1, n FROM generate_series(1, {mailboxes}) AS n; \
         INSERT INTO folder (mailbox_id, source, target, uid_validity) SELECT id, 'INBOX', 'INBOX', 1 FROM mailbox; \
         INSERT INTO message (folder_id, uid, state, target_uid, size, ours, arrived, checksum, flags, fingerprint, digest_whole, digest_text) \
         SELECT id, n, 1, n, 4096 + n, 1, 1700000000 + n, n, '\\Seen', decode(md5(id || 'f' || n), 'hex'), decode(md5(id || 'w' || n), 'hex'), \
         decode(md5(id || 't' || n), 'hex') FROM folder, generate_series(1, {MESSAGES}) AS n"
    ));
    let to_file = copy(&one, &one.url(), second);
    let to_server = copy(&other, second, &other.url());
    assert_eq!(tables(&to_file), tables(&to_server));
    let rows = other.ask("SELECT count(*) FROM message");
    assert_eq!(rows, (mailboxes * MESSAGES).to_string());
}

/// Writes a master key.
pub(crate) fn key(directory: &std::path::Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let file = directory.join("master.key");
    std::fs::write(&file, "5a".repeat(32)).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}
