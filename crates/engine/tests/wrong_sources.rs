//! Sources that show other messages than those of the last pass: a backup, another mailbox, another folder.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/mod.rs"]
mod support;

use mailhaul_engine::{DeletionPolicy, PassOptions, Report};
use mailhaul_mail::{FolderPath, InternalDate, Scope};
use support::{MemoryLedger, Remote, StoredFolder, pass, pass_after};

fn text(number: u32) -> String {
    format!("Message-ID: <{number:04}@example.net>\r\nSubject: {number:04}\r\n\r\ntext {number:04}\r\n")
}

fn mirrored() -> PassOptions {
    PassOptions { deletions: DeletionPolicy::Mirror, ..PassOptions::default() }
}

fn messages(remote: &Remote) -> usize {
    remote.contents().values().map(Vec::len).sum()
}

fn assert_synced(report: &Report) {
    assert!(report.is_synced(), "{report:#?}");
}

/// These folders with their numbers of messages, and a target that has them.
async fn migrated(folders: &[(&str, u32)]) -> (Remote, Remote, MemoryLedger) {
    let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
    for ((folder, count), first) in folders.iter().zip((0..).step_by(1_000)) {
        (first..first + count).for_each(|it| _ = source.server().folder(folder).add("", &text(it)));
    }
    assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
    assert_eq!(source.contents(), target.contents());
    (source, target, ledger)
}

/// Replaces a folder by another one, with the same UIDVALIDITY and messages of other numbers.
fn replace(source: &Remote, folder: &str, numbers: impl IntoIterator<Item = u32>) -> StoredFolder {
    let path = FolderPath::parse(folder);
    let old = source.server().folders.remove(&path).unwrap();
    source.server().folder(folder).uid_validity = old.uid_validity;
    for number in numbers {
        source.server().folder(folder).add("", &text(number));
    }
    old
}

async fn is_refused(source: &Remote, target: &Remote, ledger: &MemoryLedger) {
    let before = target.contents();
    let report = pass(source, target, ledger, &mirrored()).await;
    let error = report.error.unwrap();
    assert_eq!(error.scope, Scope::Mailbox);
    assert!(error.to_string().contains("another mailbox than in the last pass"), "{error}");
    assert_eq!(target.contents(), before);
}

/// UIDs, sizes and dates are the same; only the headers differ.
#[tokio::test]
async fn a_source_that_was_restored_from_its_backup_is_scanned_whole() {
    for tells_vanished in [false, true] {
        let (source, target, ledger) = migrated(&[("INBOX", 40)]).await;
        source.server().tells_vanished = tells_vanished;
        let backup = source.server().folders[&FolderPath::inbox()].clone();
        (100..120).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
        assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
        source.server().folders.insert(FolderPath::inbox(), backup);
        (800..810).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
        let report = pass(&source, &target, &ledger, &mirrored()).await;
        assert_synced(&report);
        let counted = (report.total(|it| it.seen), report.total(|it| it.copied));
        assert_eq!(counted, (50, 10), "{tells_vanished}");
        let (here, there) = (source.contents(), target.contents());
        assert!(here["INBOX"].iter().all(|it| there["INBOX"].contains(it)), "{tells_vanished}");
        assert_eq!(pass(&source, &target, &ledger, &mirrored()).await.total(|it| it.copied), 0);
    }
}

#[tokio::test]
async fn sequence_numbers_in_place_of_uids_remove_and_move_nothing() {
    for deletions in [DeletionPolicy::Keep, DeletionPolicy::Mirror] {
        let options = PassOptions { deletions, ..PassOptions::default() };
        let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
        (0..100).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
        (1..=80).for_each(|it| drop(source.server().folder("INBOX").expunge(it)));
        source.server().folder("Work").add("", &text(900));
        assert_synced(&pass(&source, &target, &ledger, &options).await);
        source.server().folder("INBOX").add("", &text(500));
        for number in 80..85 {
            source.server().folder("Work").add("", &text(number));
        }
        source.server().lies.lists_places = true;
        assert_synced(&pass(&source, &target, &ledger, &options).await);
        assert_eq!(source.contents().values().map(Vec::len).sum::<usize>(), 27);
        for (folder, there) in target.contents() {
            let bodies =
                |it: &[(String, String, String)]| it.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
            assert_eq!(bodies(&there), bodies(&source.contents()[&folder]), "{deletions:?}");
        }
    }
}

#[tokio::test]
async fn another_mailbox_with_the_same_uidvalidity_changes_nothing() {
    // Lower UIDs of other messages; the same sizes and dates; one old message with a new UID.
    for (count, is_new) in [(5, false), (30, false), (1, true)] {
        let (source, target, ledger) = migrated(&[("INBOX", 60)]).await;
        let numbers = 0..if is_new { 61 } else { count };
        let old = replace(&source, "INBOX", numbers.map(|it| 900 + it));
        if is_new {
            (1..=60).for_each(|it| drop(source.server().folder("INBOX").expunge(it)));
            source.server().folder("INBOX").messages.get_mut(&61).unwrap().date =
                InternalDate::new(1_600_000_000, 0);
        }
        is_refused(&source, &target, &ledger).await;
        source.server().folders.insert(FolderPath::inbox(), old);
        assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
        assert_eq!(source.contents(), target.contents());
    }
}

/// A folder that is left out does not prove that the mailbox is the same.
#[tokio::test]
async fn another_mailbox_is_detected_without_inbox() {
    let (source, target, ledger) = migrated(&[("Work", 40)]).await;
    let old = replace(&source, "Work", 900..905);
    source.server().folder("Work").renumber();
    is_refused(&source, &target, &ledger).await;
    source.server().folders.insert(FolderPath::parse("Work"), old);
    assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
}

#[tokio::test]
async fn a_newsletter_that_both_mailboxes_have_proves_nothing() {
    let (source, target, ledger) = migrated(&[("INBOX", 60)]).await;
    replace(&source, "INBOX", (900..930).chain([0]));
    source.server().folder("INBOX").renumber();
    is_refused(&source, &target, &ledger).await;
}

/// A program fetches mail and deletes it.
#[tokio::test]
async fn a_mailbox_with_only_new_mail_is_the_same() {
    let (source, target, ledger) = migrated(&[("INBOX", 60)]).await;
    (1..=60).for_each(|it| drop(source.server().folder("INBOX").expunge(it)));
    (500..503).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
    assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
    assert_eq!(messages(&target), 63);
    assert_synced(&pass_after(1, &source, &target, &ledger, &mirrored()).await);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn a_new_folder_with_other_mail_is_no_other_mailbox() {
    let (source, target, ledger) = migrated(&[("INBOX", 20), ("Work", 60)]).await;
    replace(&source, "Work", 900..960);
    source.server().folder("Work").renumber();
    let report = pass(&source, &target, &ledger, &mirrored()).await;
    assert_synced(&report);
    assert_eq!(report.total(|it| it.copied), 60);
}

#[tokio::test]
async fn the_messages_of_another_folder_are_not_copied() {
    let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
    (0..60).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
    (100..140).for_each(|it| _ = source.server().folder("Work").add("", &text(it)));
    let validity = source.server().folder("INBOX").uid_validity;
    source.server().folder("Work").uid_validity = validity;
    assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
    let other = source.server().folder("INBOX").clone();
    let old = source.server().folders.insert(FolderPath::parse("Work"), other).unwrap();
    let report = pass(&source, &target, &ledger, &mirrored()).await;
    let errors: Vec<String> =
        report.folders.iter().filter_map(|it| it.error.as_ref()).map(ToString::to_string).collect();
    assert_eq!(errors, ["the server shows the messages of folder INBOX in its place"]);
    assert_eq!(messages(&target), 100);
    source.server().folders.insert(FolderPath::parse("Work"), old);
    assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn a_folder_that_opens_as_another_one_is_opened_again() {
    for times in [1, u32::MAX] {
        let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
        (0..30).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
        (100..120).for_each(|it| _ = source.server().folder("Work").add("", &text(it)));
        source.server().lies.opens_instead = Some(("Work", "INBOX", times));
        let report = pass(&source, &target, &ledger, &mirrored()).await;
        let error = report.folders.iter().find_map(|it| it.error.as_ref()).map(ToString::to_string);
        let expected = "the server opens folder INBOX in its place";
        assert_eq!(error.as_deref(), (times > 1).then_some(expected));
        assert_eq!(messages(&target), if times > 1 { 30 } else { 50 });
    }
}

#[tokio::test]
async fn most_of_a_small_mailbox_and_of_a_folder_waits() {
    let most = |folder: &str, count: u32| (folder.to_owned(), count);
    for (folders, (folder, gone)) in
        [(&[("INBOX", 60)][..], most("INBOX", 59)), (&[("INBOX", 900), ("Work", 20)][..], most("Work", 19))]
    {
        let (source, target, ledger) = migrated(folders).await;
        let before = target.contents();
        (1..=gone).for_each(|it| drop(source.server().folder(&folder).expunge(it)));
        let report = pass(&source, &target, &ledger, &mirrored()).await;
        assert_synced(&report);
        assert_eq!(report.total(|it| it.waiting), u64::from(gone));
        assert_eq!(target.contents(), before);
        assert_synced(&pass_after(1, &source, &target, &ledger, &mirrored()).await);
        assert_eq!(source.contents(), target.contents());
    }
}
