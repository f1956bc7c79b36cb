//! Views (`\All`, `\Flagged`): messages that are in no other folder are copied, once, and no others.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeMap;

use mailhaul_engine::{DeletionPolicy, FolderPattern, FolderRules, PassOptions, Report};
use mailhaul_mail::{FolderPath, SpecialUse};
use support::{CONFIRMED, Crash, MemoryLedger, Remote, pass};

fn text(number: u32) -> String {
    format!("Message-ID: <{number}@example.net>\r\nSubject: number {number}\r\n\r\ntext {number}\r\n")
}

/// A mailbox with a view of all messages, one of which is in no other folder.
fn mailbox() -> Remote {
    let remote = Remote::default();
    let mut server = remote.server();
    server.folder("INBOX").add("", &text(1));
    server.folder("Archive").add("\\Seen", &text(2));
    for number in 1..=3 {
        server.folder("All Mail").add("", &text(number));
    }
    server.uses.insert(FolderPath::parse("All Mail"), SpecialUse::All);
    server.uses.insert(FolderPath::parse("Archive"), SpecialUse::Archive);
    drop(server);
    remote
}

fn subjects(remote: &Remote) -> BTreeMap<String, Vec<String>> {
    let subject = |text: &str| text.lines().nth(1).unwrap_or_default().replace("Subject: number ", "");
    let folder = |(name, it): (String, Vec<(String, String, String)>)| {
        (name, it.iter().map(|(text, _, _)| subject(text)).collect())
    };
    remote.contents().into_iter().map(folder).collect()
}

fn holding(folders: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let names = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect();
    folders.iter().map(|(name, it)| ((*name).to_owned(), names(it))).collect()
}

fn assert_synced(report: &Report) {
    assert!(report.is_synced(), "{report:#?}");
}

#[tokio::test]
async fn messages_that_only_a_view_holds_are_archived_once() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let options = PassOptions::default();
    let report = pass(&source, &target, &ledger, &options).await;
    assert_synced(&report);
    assert_eq!(subjects(&target), holding(&[("Archive", &["2", "3"]), ("INBOX", &["1"])]));
    assert_eq!((report.total(|it| it.seen), report.total(|it| it.copied)), (3, 3));
    // Without changes, nothing is read.
    source.server().scans = 0;
    let again = pass(&source, &target, &ledger, &options).await;
    assert_synced(&again);
    assert_eq!((source.server().scans, again.total(|it| it.copied), again.total(|it| it.already)), (0, 0, 3));
    // A lost ledger doubles no message.
    assert_synced(&pass(&source, &target, &MemoryLedger::default(), &options).await);
    assert_eq!(subjects(&target), holding(&[("Archive", &["2", "3"]), ("INBOX", &["1"])]));
}

#[tokio::test]
async fn a_view_that_holds_nothing_of_its_own_leaves_no_folder() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    source.server().folder("INBOX").add("", &text(3));
    source.server().folder("Starred").add("\\Flagged", &text(2));
    source.server().uses.insert(FolderPath::parse("Starred"), SpecialUse::Flagged);
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    assert_synced(&report);
    assert_eq!(subjects(&target), holding(&[("Archive", &["2"]), ("INBOX", &["1", "3"])]));
    let views: Vec<_> = report.folders.iter().filter(|it| it.target.is_none()).collect();
    assert_eq!(views.len(), 2, "{report:#?}");
    assert!(views[0].reason.ends_with("3 in other folders"), "{}", views[0].reason);
}

#[tokio::test]
async fn new_mail_of_a_view_is_compared_alone() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let options = PassOptions::default();
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    {
        let mut server = source.server();
        server.folder("INBOX").add("", &text(4));
        server.folder("All Mail").add("", &text(4));
        server.folder("All Mail").add("", &text(5));
        server.folder("All Mail").set_flags(3, "\\Answered");
    }
    let report = pass(&source, &target, &ledger, &options).await;
    assert_synced(&report);
    assert_eq!(report.total(|it| it.copied), 2);
    assert_eq!(subjects(&target), holding(&[("Archive", &["2", "3", "5"]), ("INBOX", &["1", "4"])]));
    assert_eq!(target.server().folder("Archive").messages[&2].flags.to_string(), "\\Answered");
}

#[tokio::test]
async fn messages_that_stay_in_the_view_are_kept() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let options =
        PassOptions { deletions: DeletionPolicy::Mirror, removals: CONFIRMED, ..PassOptions::default() };
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    source.server().folder("INBOX").expunge(1);
    // A message that appeared in a folder is not copied twice.
    source.server().folder("Projects").add("", &text(3));
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    assert_eq!(subjects(&target), holding(&[("Archive", &["1", "2"]), ("INBOX", &[]), ("Projects", &["3"])]));
}

#[tokio::test]
async fn similar_messages_are_distinguished_by_all_their_bytes() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let alike = |text: &str| format!("Message-ID: <x@example.net>\r\nSubject: number x\r\n\r\n{text}\r\n");
    {
        let mut server = source.server();
        server.folder("INBOX").add("", &alike("one"));
        server.folder("All Mail").add("", &alike("one"));
        server.folder("All Mail").add("", &alike("two"));
        server.folder("All Mail").add("", &alike("longer"));
        // The same message, shown twice.
        server.folder("All Mail").add("", &text(1));
    }
    assert_synced(&pass(&source, &target, &ledger, &PassOptions::default()).await);
    let archived: Vec<String> =
        target.contents()["Archive"].iter().map(|(text, _, _)| text.clone()).collect();
    assert_eq!(archived, [text(2), text(3), alike("longer"), alike("two")]);
}

#[tokio::test]
async fn a_view_does_not_copy_mail_of_a_folder_that_is_left_out() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let exclude = vec![FolderPattern::parse("INBOX").unwrap()];
    let options =
        PassOptions { folders: FolderRules { exclude, ..FolderRules::default() }, ..PassOptions::default() };
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    assert_eq!(subjects(&target), holding(&[("Archive", &["2", "3"])]));
}

#[tokio::test]
async fn a_view_that_the_operator_names_is_copied_whole() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let include = ["INBOX", "All Mail"].map(|it| FolderPattern::parse(it).unwrap()).to_vec();
    let options =
        PassOptions { folders: FolderRules { include, ..FolderRules::default() }, ..PassOptions::default() };
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    let whole = holding(&[("All Mail", &["1", "2", "3"]), ("INBOX", &["1"])]);
    assert_eq!(subjects(&target), whole);
    // It stays so without the option.
    assert_synced(&pass(&source, &target, &ledger, &PassOptions::default()).await);
    assert_eq!(subjects(&target)["All Mail"], ["1", "2", "3"]);
}

#[tokio::test]
async fn a_crash_at_any_step_neither_loses_nor_doubles() {
    for step in 1.. {
        let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
        let crashing = ledger.crashing(Some(Crash::After(step)));
        pass(&source, &target, &crashing, &PassOptions::default()).await;
        assert_synced(&pass(&source, &target, &ledger.crashing(None), &PassOptions::default()).await);
        let whole = holding(&[("Archive", &["2", "3"]), ("INBOX", &["1"])]);
        assert_eq!(subjects(&target), whole, "killed after step {step}");
        if crashing.calls() < step {
            break;
        }
    }
}
