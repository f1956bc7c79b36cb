//! `--dry-run` tells everything and changes nothing.

use std::{fs, os::unix::fs::PermissionsExt as _};

use mailhaul_testkit::Setup;

use crate::support::{Haul, assert_equal, commands, contents, give};

/// The only commands that a dry run may send.
const READING: [&str; 15] = [
    "AUTHENTICATE",
    "LOGIN",
    "CAPABILITY",
    "ID",
    "ENABLE",
    "NAMESPACE",
    "LIST",
    "LSUB",
    "STATUS",
    "EXAMINE",
    "UID FETCH",
    "UID SEARCH",
    "NOOP",
    "LOGOUT",
    "[redacted]",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_no_command_that_changes_anything() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[700; 12], 1).await;
    give(&from, "annb", "Sent", &[700; 3], 2).await;
    give(&to, "annb", "INBOX", &[700; 5], 1).await;
    let before = (contents(from.port(), "annb").await, contents(to.port(), "annb").await);
    let haul = Haul::new("annb", from.port(), to.port());
    let trace = haul.file("trace");
    let ran = haul.expect(0, &["--dry-run", "--json", "--trace", trace.to_str().unwrap()]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let folders = told["mailboxes"][0]["folders"].as_array().unwrap();
    let numbers: Vec<_> = folders
        .iter()
        .map(|it| (it["copy"].as_u64().unwrap(), it["alreadyThere"].as_u64().unwrap()))
        .collect();
    assert_eq!(numbers, [(7, 5), (3, 0)], "{told:#}");
    for side in ["from", "to"] {
        let said = commands(&trace, side);
        assert!(said.len() > 3, "{said:?}");
        for line in said {
            let command = line.split_once(' ').map_or(line.as_str(), |(_, rest)| rest);
            let is_reading = line == "[redacted]" || READING.iter().any(|it| command.starts_with(it));
            assert!(is_reading && !command.contains(" BODY["), "{line}");
        }
    }
    assert!(!haul.data().exists(), "the data directory is not made");
    assert_equal(&before.0, &contents(from.port(), "annb").await);
    assert_equal(&before.1, &contents(to.port(), "annb").await);

    // With a ledger that must not be written, after a run.
    haul.expect(0, &[]);
    give(&from, "annb", "INBOX", &[700; 2], 8).await;
    let files = |mode: u32| fs::set_permissions(haul.data(), fs::Permissions::from_mode(mode)).unwrap();
    let modified = |name: &str| fs::metadata(haul.data().join(name)).unwrap().modified().unwrap();
    let (then, listed) = (modified("mailhaul.db"), fs::read_dir(haul.data()).unwrap().count());
    files(0o500);
    let ran = haul.expect(0, &["--dry-run"]);
    files(0o700);
    assert!(ran.stdout.contains("2 messages to copy"), "{}", ran.stdout);
    assert!(ran.stdout.contains("unchanged"), "{}", ran.stdout);
    assert_eq!((then, listed), (modified("mailhaul.db"), fs::read_dir(haul.data()).unwrap().count()));
}
