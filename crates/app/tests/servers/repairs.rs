//! Messages that a real Cyrus refuses: skipped and named, saved on request, and edited if allowed.

use std::{fs, path::Path, process::Command};

use mailhaul_imap::{AppendHead, BeginOutcome, MailboxName, Session};
use mailhaul_mail::{Digest, Flags, InternalDate, repair::Repairs};
use mailhaul_testkit::{Courier, CourierSetup, Cyrus, CyrusSetup, Folder, Server as _, Setup, connect, fill};

use crate::{
    common::{Ran, contents, ran},
    service::{Service, until},
};

const USER: &str = "annb";
const FLAGS: &str = "\\Seen";

/// Messages that Cyrus 3.6 refuses, with its words, and the edited form that it accepts. Courier accepts them.
const REFUSED: [(&str, &str, &str); 7] = [
    ("Subject: nul\r\n\r\nte\0xt\r\n", "NUL characters", "Subject: nul\r\n\r\ntext\r\n"),
    ("Subject: n\0ul\r\n\r\ntext\r\n", "NUL characters", "Subject: nul\r\n\r\ntext\r\n"),
    (
        "Subject: x\r\nno colon\r\nTo: d\r\n\r\ntext\r\n",
        "invalid header",
        "Subject: x\r\n no colon\r\nTo: d\r\n\r\ntext\r\n",
    ),
    ("Subject  : x\r\n\r\ntext\r\n", "invalid header", "Subject: x\r\n\r\ntext\r\n"),
    (": x\r\nTo: d\r\n\r\ntext\r\n", "invalid header", "X-Invalid-Header: : x\r\nTo: d\r\n\r\ntext\r\n"),
    (
        "Subject: x\r\nwithout an empty line\r\n",
        "invalid header",
        "Subject: x\r\n\r\nwithout an empty line\r\n",
    ),
    ("only text\r\n", "invalid header", "\r\nonly text\r\n"),
];
/// Messages that it accepts.
const TAKEN: [&str; 2] =
    ["Subject: gr\u{fc}n\r\n\r\ntext\r\n", "From a@b Mon Jan 1 00:00:00 2024\r\nTo: d\r\n\r\ntext\r\n"];

async fn append(session: &mut Session, octets: &[u8]) -> Result<(), String> {
    let (mut sink, mut replies) = session.append_pipeline(&MailboxName::from_text("INBOX")).await.unwrap();
    let flags = Flags::new();
    let head = AppendHead { flags: &flags, date: None, length: octets.len() as u64 };
    let sending = async move {
        assert_eq!(sink.begin(&head).await.unwrap(), BeginOutcome::Ready);
        sink.write(octets).await.unwrap();
        sink.end_message().unwrap();
        sink.end_command();
        sink.flush().await.unwrap();
    };
    let reading = async move {
        let mut outcome = Ok(());
        while let Some(reply) = replies.next().await.unwrap() {
            outcome = reply.outcome().map_err(|it| it.to_string());
        }
        outcome
    };
    tokio::join!(sending, reading).1
}

fn item(octets: impl AsRef<[u8]>) -> (Vec<u8>, Flags, InternalDate) {
    let flags = FLAGS.split_whitespace().collect();
    (octets.as_ref().to_vec(), flags, InternalDate::new(1_500_000_000, 0).unwrap())
}

async fn servers() -> (Courier, Cyrus) {
    // Left to itself, Cyrus puts an X in the place of each octet of a header that is no ASCII.
    let to = CyrusSetup { munges_8bit: false, ..CyrusSetup::with_users(&[USER]) }.start();
    let from = CourierSetup::with_users(&[USER]).start();
    let mut session = connect(from.port(), USER, "secret-annb").await;
    let messages = REFUSED.iter().map(|it| it.0).chain(TAKEN);
    fill(&mut session, "INBOX", messages.map(item)).await;
    session.logout().await.unwrap();
    (from, to)
}

/// `mailhaul migrate`, with a data directory of its own.
fn migrate(data: &Path, from: u16, to: u16, more: &[&str]) -> Ran {
    let url = |port: u16| format!("imap+plain://{USER}@127.0.0.1:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhaul"));
    command.args(["migrate", "--from", &url(from), "--to", &url(to), "--data"]).arg(data).args(more);
    command.env("MAILHAUL_RESOLVERS", "none");
    for variable in ["MAILHAUL_FROM_PASSWORD", "MAILHAUL_TO_PASSWORD"] {
        command.env(variable, "secret-annb");
    }
    ran(&mut command)
}

/// Prefixes of the digests in a folder, sorted.
fn digests(folder: &Folder) -> Vec<String> {
    let mut digests: Vec<String> = folder.messages.iter().map(|it| it.digest[..32].to_owned()).collect();
    digests.sort_unstable();
    digests
}

fn of<'a>(messages: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut digests: Vec<String> =
        messages.into_iter().map(|it| Digest::of(it.as_bytes()).to_string()).collect();
    digests.sort_unstable();
    digests
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_refuses_what_the_repairs_are_made_for() {
    let cyrus = CyrusSetup::with_users(&[USER]).start();
    // These, Courier and Dovecot would complete.
    let incomplete = [
        ("A: b\n\ntext\n", "bare newlines", "A: b\r\n\r\ntext\r\n"),
        ("A: without an end", "invalid header", "A: without an end\r\n"),
    ];
    for (message, words, edited) in REFUSED.into_iter().chain(incomplete) {
        // It does not hang up; but a new connection is certain to be in step.
        let mut session = connect(cyrus.port(), USER, "secret-annb").await;
        let refusal = append(&mut session, message.as_bytes()).await.unwrap_err();
        assert!(refusal.contains(words), "{message:?}: {refusal}");
        append(&mut session, edited.as_bytes()).await.unwrap();
        let repaired = mailhaul_mail::repair::repair(message.as_bytes(), &Repairs::all(), 9_900).unwrap();
        assert_eq!(repaired.octets.escape_ascii().to_string(), edited.as_bytes().escape_ascii().to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_messages_are_skipped_or_edited_if_allowed() {
    let (from, to) = servers().await;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let report = directory.path().join("report.csv");
    let report_path = report.to_str().unwrap();

    let ran = migrate(&data, from.port(), to.port(), &["--report", report_path]);
    ran.assert(10);
    let rows = |record: &str| -> Vec<csv::StringRecord> {
        let mut reader = csv::Reader::from_path(&report).unwrap();
        reader.records().map(Result::unwrap).filter(|it| &it[0] == record).collect()
    };
    let skipped = rows("SkippedItem");
    assert_eq!(skipped.len(), REFUSED.len());
    for (row, (_, words, _)) in skipped.iter().zip(&REFUSED) {
        assert!(row[15].contains(words) && row[15].contains("; --repair "), "{row:?}");
    }
    assert_eq!(digests(&contents(to.port(), USER).await["INBOX"]), of(TAKEN));

    // Only what was allowed.
    let ran = migrate(&data, from.port(), to.port(), &["--repair", "NulBytes", "--report", report_path]);
    ran.assert(10);
    assert_eq!((rows("SkippedItem").len(), rows("RepairedItem").len()), (5, 2));

    let more = ["--repair", "invalidheaders,MissingFinalNewline", "--report", report_path];
    let ran = migrate(&data, from.port(), to.port(), &more);
    ran.assert(0);
    assert!(ran.stdout.contains("Repaired: folder INBOX, UID 6"), "{}", ran.stdout);
    let repaired = rows("RepairedItem");
    assert_eq!((rows("SkippedItem").len(), repaired.len()), (0, 5));
    for (row, (original, _, _)) in repaired.iter().zip(&REFUSED[2..]) {
        assert_eq!(row[16], mailhaul_mail::Sha256::of(original.as_bytes()).to_string(), "{row:?}");
        assert!(row[15].starts_with("InvalidHeaders: "), "{row:?}");
    }
    let arrived = contents(to.port(), USER).await;
    let expected: Vec<&str> = REFUSED.iter().map(|it| it.2).chain(TAKEN).collect();
    assert_eq!(digests(&arrived["INBOX"]), of(expected));
    assert!(arrived["INBOX"].messages.iter().all(|it| it.flags == FLAGS), "{arrived:#?}");
    let source = contents(from.port(), USER).await;
    assert!(source["INBOX"].messages.iter().all(|it| it.date.starts_with("14-Jul-2017 02:40:00")));
    assert!(arrived["INBOX"].messages.iter().all(|it| it.date.starts_with("14-Jul-2017 02:40:00")));

    // Nothing is sent twice: neither by a later run nor without the ledger.
    for data in [&data, &directory.path().join("other")] {
        let ran = migrate(data, from.port(), to.port(), &["--repair", "all", "--json"]);
        ran.assert(0);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["mailboxes"][0]["copied"], 0, "{json:#}");
        assert_eq!(contents(to.port(), USER).await, arrived);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_lists_saves_and_repairs_skipped_messages() {
    let (from, to) = servers().await;
    let service = Service::start();
    service.endpoints(from.port(), to.port(), &[]);
    let csv = service.csv(&[USER.to_owned()]);
    let words = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&words[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    service.wait_for("B", &["Synced", "SyncedWithErrors"]);
    let address = "annb@contoso.edu";

    let directory = service.directory.path().join("saved");
    let export = ["-Export", directory.to_str().unwrap()];
    for selected in [["-Identity", address], ["-BatchId", "B"]] {
        let listed = service.expect(&[&["Get-MigrationSkippedItem"][..], &selected].concat());
        assert_eq!(listed.len(), REFUSED.len(), "{listed:#?}");
        // The second time, everything is there already.
        for _ in 0..2 {
            let saved = service.expect(&[&["Get-MigrationSkippedItem"][..], &selected, &export].concat());
            for (item, (original, words, _)) in saved.iter().zip(&REFUSED) {
                assert!(item["Reason"].as_str().unwrap().contains(words), "{item:#}");
                let path = item["FileName"].as_str().unwrap_or_else(|| panic!("{item:#}"));
                assert_eq!(
                    fs::read(path).unwrap().escape_ascii().to_string(),
                    original.as_bytes().escape_ascii().to_string()
                );
            }
        }
    }
    let there = |directory: &Path| fs::read_dir(directory).unwrap().count();
    // Of the batch, the user has a directory.
    assert_eq!((there(&directory), there(&directory.join(address))), (REFUSED.len() + 1, REFUSED.len()));
    // What is called so and is something else stays.
    fs::write(directory.join("INBOX-1.eml"), "mine").unwrap();
    let saved = service.expect(&[&["Get-MigrationSkippedItem", address][..], &export].concat());
    assert!(saved[0]["FileName"].as_str().unwrap().ends_with("INBOX-1 (2).eml"), "{:#}", saved[0]);
    assert_eq!(fs::read_to_string(directory.join("INBOX-1.eml")).unwrap(), "mine");

    service.expect(&["Set-MigrationBatch", "B", "-Repair", "All"]);
    service.expect(&["Set-MigrationUser", address, "-SyncNow"]);
    until(|| (service.user(address)["SkippedItemCount"] == 0).then_some(()));
    let shown = service.expect(&["Get-MigrationUserStatistics", address, "-IncludeReport"]).remove(0);
    let report: Vec<&str> = shown["Report"]["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["Message"].as_str())
        .collect();
    let told = format!(
        "Repaired: folder INBOX, UID 6, subject \"x\", original SHA-256 {}, \
         InvalidHeaders: empty line inserted between header and text (line 2)",
        mailhaul_mail::Sha256::of(REFUSED[5].0.as_bytes())
    );
    assert!(report.contains(&told.as_str()), "{told}\n{report:#?}");
    assert_eq!(shown["Folders"][0]["RepairedCount"], REFUSED.len(), "{shown:#}");
    let expected: Vec<&str> = REFUSED.iter().map(|it| it.2).chain(TAKEN).collect();
    assert_eq!(digests(&contents(to.port(), USER).await["INBOX"]), of(expected));
    assert!(service.expect(&["Get-MigrationSkippedItem", address]).is_empty());
}

/// Real messages, where they lie beside the project: their sets in which there are some that Cyrus refuses.
#[tokio::test(flavor = "multi_thread")]
async fn real_messages_that_cyrus_refuses_arrive() {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/messages.tar.xz");
    if !archive.exists() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let sets = ["--wildcards", "*mikel-mail/*", "*cpython-test-email/*"];
    let unpacked =
        Command::new("tar").arg("xJf").arg(&archive).arg("-C").arg(directory.path()).args(sets).status();
    assert!(unpacked.unwrap().success());
    let mut messages = Vec::new();
    for set in ["mikel-mail", "cpython-test-email"] {
        let mut files: Vec<_> =
            fs::read_dir(directory.path().join(set)).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        messages.extend(
            files.into_iter().map(|it| with_crlf(&fs::read(it).unwrap())).filter(|it| !it.is_empty()),
        );
    }
    let from = Setup::with_users(&[USER]).start();
    let to = CyrusSetup::with_users(&[USER]).start();
    let mut session = connect(from.port(), USER, "secret-annb").await;
    let count = messages.len();
    fill(&mut session, "INBOX", messages.into_iter().map(item)).await;
    session.logout().await.unwrap();

    let data = directory.path().join("data");
    let ran = migrate(&data, from.port(), to.port(), &["--json"]);
    ran.assert(10);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let skipped = json["mailboxes"][0]["skippedItems"].as_array().unwrap();
    assert_eq!(skipped.len(), 5, "{skipped:#?}");
    assert_eq!(contents(to.port(), USER).await["INBOX"].messages.len(), count - 5);

    let ran = migrate(&data, from.port(), to.port(), &["--json", "--repair", "InvalidHeaders"]);
    ran.assert(0);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let repaired = json["mailboxes"][0]["repairedItems"].as_array().unwrap();
    assert_eq!((repaired.len(), &json["mailboxes"][0]["copied"]), (5, &5.into()), "{repaired:#?}");
    assert!(repaired.iter().all(|it| it["edits"].as_str().unwrap().starts_with("InvalidHeaders: ")));
    assert_eq!(contents(to.port(), USER).await["INBOX"].messages.len(), count);
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> =
        octets.split(|it| *it == b'\n').map(|it| it.strip_suffix(b"\r").unwrap_or(it)).collect();
    lines.join(&b"\r\n"[..])
}
