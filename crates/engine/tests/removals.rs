//! Effects on the target of one odd answer of a source.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use mailhaul_engine::{DeletionPolicy, PassOptions, RemovalRules, Report};
use mailhaul_mail::{FolderPath, Scope};
use support::{Crash, MemoryLedger, Remote, StoredFolder, pass, pass_after};

fn text(number: u32) -> String {
    format!("Message-ID: <{number}@example.net>\r\nSubject: {number}\r\n\r\ntext {number}\r\n")
}

fn mirrored() -> PassOptions {
    PassOptions { deletions: DeletionPolicy::Mirror, ..PassOptions::default() }
}

/// Two folders with 20 messages each, and a target that has them.
async fn migrated(options: &PassOptions) -> (Remote, Remote, MemoryLedger) {
    let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
    for (folder, first) in [("INBOX", 0), ("Archive", 100)] {
        (first..first + 20).for_each(|it| _ = source.server().folder(folder).add("\\Seen", &text(it)));
    }
    assert_synced(&pass(&source, &target, &ledger, options).await);
    assert_eq!(source.contents(), target.contents());
    (source, target, ledger)
}

fn assert_synced(report: &Report) {
    assert!(report.is_synced(), "{report:#?}");
}

fn messages(remote: &Remote) -> usize {
    remote.contents().values().map(Vec::len).sum()
}

/// Removes the folders, and returns them.
fn take_folders(source: &Remote) -> BTreeMap<FolderPath, StoredFolder> {
    std::mem::take(&mut source.server().folders)
}

#[tokio::test]
async fn an_empty_folder_that_counts_messages_is_opened_again() {
    for times in [1, 3] {
        let (source, target, ledger) = migrated(&mirrored()).await;
        source.server().folder("INBOX").add("", &text(50));
        source.server().lies.shows_nothing = times;
        let report = pass(&source, &target, &ledger, &mirrored()).await;
        assert_eq!((messages(&target), report.total(|it| it.removed)), (40 + usize::from(times == 1), 0));
        assert_eq!(report.is_synced(), times == 1, "{report:#?}");
        assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
        assert_eq!(source.contents(), target.contents());
    }
}

#[tokio::test]
async fn a_first_pass_opens_an_empty_folder_with_messages_again() {
    let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
    (0..20).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
    source.server().lies.shows_nothing = u32::MAX;
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    let error = report.folders[0].error.as_ref().unwrap().to_string();
    assert!(error.contains("counts 20 messages (STATUS) and shows 0"), "{error}");
    source.server().lies.shows_nothing = 0;
    assert_synced(&pass(&source, &target, &ledger, &PassOptions::default()).await);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn an_emptied_folder_waits_for_a_second_pass_an_hour_later() {
    let (source, target, ledger) = migrated(&mirrored()).await;
    (1..=20).for_each(|it| drop(source.server().folder("INBOX").expunge(it)));
    for hours in [0, 0] {
        let report = pass_after(hours, &source, &target, &ledger, &mirrored()).await;
        assert_synced(&report);
        assert_eq!((messages(&target), report.total(|it| it.waiting)), (40, 20));
        let notes: Vec<String> = report.folders.iter().flat_map(|it| it.tally.notes()).collect();
        assert!(notes.iter().any(|it| it.starts_with("20 copies are not removed yet")), "{notes:?}");
    }
    let report = pass_after(1, &source, &target, &ledger, &mirrored()).await;
    assert_eq!((messages(&target), report.total(|it| it.removed)), (20, 20));
    assert_eq!(pass_after(2, &source, &target, &ledger, &mirrored()).await.total(|it| it.waiting), 0);
}

#[tokio::test]
async fn confirmed_deletions_do_not_wait() {
    let (source, target, ledger) = migrated(&mirrored()).await;
    (1..=20).for_each(|it| drop(source.server().folder("INBOX").expunge(it)));
    pass(&source, &target, &ledger, &mirrored()).await;
    let removals = RemovalRules { is_confirmed: true, ..RemovalRules::default() };
    let report = pass(&source, &target, &ledger, &PassOptions { removals, ..mirrored() }).await;
    assert_eq!((messages(&target), report.total(|it| it.removed)), (20, 20));
}

#[tokio::test]
async fn folders_that_are_not_listed_once_lose_nothing() {
    for deletions in [DeletionPolicy::Mirror, DeletionPolicy::Keep] {
        let options = PassOptions { deletions, ..PassOptions::default() };
        let (source, target, ledger) = migrated(&options).await;
        let inbox = FolderPath::inbox();
        // INBOX alone is listed, empty; then no folder at all.
        let kept = take_folders(&source);
        assert!(!pass(&source, &target, &ledger, &options).await.is_synced());
        let mut empty = kept[&inbox].clone();
        (1..=20).for_each(|it| drop(empty.expunge(it)));
        source.server().folders.insert(inbox, empty);
        pass(&source, &target, &ledger, &options).await;
        assert_eq!(messages(&target), 40);
        source.server().folders = kept;
        assert_synced(&pass(&source, &target, &ledger, &options).await);
        assert_eq!(messages(&target), 40, "{deletions:?}");
        assert_eq!(source.contents(), target.contents());
    }
}

#[tokio::test]
async fn a_returned_message_waits_again_when_it_vanishes_again() {
    let (source, target, ledger) = migrated(&mirrored()).await;
    let kept = source.server().folders[&FolderPath::parse("Archive")].clone();
    for hours in [0, 2, 4] {
        source.server().folders.remove(&FolderPath::parse("Archive"));
        let report = pass_after(hours, &source, &target, &ledger, &mirrored()).await;
        assert_eq!((messages(&target), report.total(|it| it.waiting)), (40, 20));
        source.server().folders.insert(FolderPath::parse("Archive"), kept.clone());
        assert_synced(&pass_after(hours, &source, &target, &ledger, &mirrored()).await);
    }
}

#[tokio::test]
async fn a_message_that_is_not_shown_once_is_not_copied_twice() {
    let options = PassOptions::default();
    let (source, target, ledger) = migrated(&options).await;
    let hidden = source.server().folder("INBOX").messages.remove(&7).unwrap();
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    source.server().folder("INBOX").messages.insert(7, hidden);
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn another_mailbox_behind_the_same_name_changes_nothing() {
    for is_empty in [false, true] {
        let (source, target, ledger) = migrated(&mirrored()).await;
        let before = target.contents();
        let kept = take_folders(&source);
        for folder in ["INBOX", "Archive"] {
            source.server().folder(folder);
            if !is_empty {
                source.server().folder(folder).add("", &text(700));
            }
        }
        let report = pass(&source, &target, &ledger, &mirrored()).await;
        let error = report.error.unwrap();
        assert_eq!(error.scope, Scope::Mailbox);
        assert!(error.to_string().contains("another mailbox"), "{error}");
        assert_eq!(target.contents(), before);
        source.server().folders = kept;
        assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
        assert_eq!(source.contents(), target.contents());
    }
}

#[tokio::test]
async fn a_mailbox_that_was_rebuilt_is_the_same() {
    let (source, target, ledger) = migrated(&mirrored()).await;
    source.server().folders.values_mut().for_each(StoredFolder::renumber);
    assert_synced(&pass(&source, &target, &ledger, &mirrored()).await);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn a_restored_older_ledger_copies_nothing_twice() {
    let options = PassOptions::default();
    let (source, target, ledger) = migrated(&options).await;
    let older = ledger.backup();
    (50..60).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    source.server().folder("INBOX").add("", &text(60));
    assert_synced(&pass(&source, &target, &older, &options).await);
    assert_eq!(source.contents(), target.contents());
}

/// Target UIDs of adopted messages are valid under one UIDVALIDITY only.
#[tokio::test]
async fn flags_of_adopted_mail_survive_a_new_target_uidvalidity() {
    let options = PassOptions::default();
    let (source, target, _) = migrated(&options).await;
    let ledger = MemoryLedger::default();
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    // The UIDs of the first messages become those of others.
    drop(target.server().folder("INBOX").expunge(1));
    target.server().folder("INBOX").shift();
    target.server().folder("INBOX").uid_validity += 1;
    source.server().folder("INBOX").set_flags(5, "\\Flagged");
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    assert_eq!(source.contents(), target.contents());
}

/// The pass of the older ledger sent nothing, because all messages were on the target.
#[tokio::test]
async fn a_restored_ledger_of_adopted_mail_copies_nothing_twice() {
    let options = PassOptions::default();
    let (source, target, _) = migrated(&options).await;
    let ledger = MemoryLedger::default();
    let adopted = pass(&source, &target, &ledger, &options).await;
    assert_eq!((adopted.total(|tally| tally.copied), adopted.total(|tally| tally.already)), (0, 40));
    let older = ledger.backup();
    (50..60).for_each(|number| _ = source.server().folder("INBOX").add("", &text(number)));
    assert_synced(&pass(&source, &target, &ledger, &options).await);
    source.server().folder("INBOX").add("", &text(60));
    assert_synced(&pass(&source, &target, &older, &options).await);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn only_what_is_ours_is_removed() {
    let (source, target, ledger) = migrated(&mirrored()).await;
    // The UID is that of a message of the user.
    let strange = text(900);
    target.server().folder("INBOX").messages.get_mut(&3).unwrap().body = strange.clone().into();
    (3..=4).for_each(|it| drop(source.server().folder("INBOX").expunge(it)));
    let report = pass(&source, &target, &ledger, &mirrored()).await;
    assert_eq!(report.total(|it| it.removed), 1);
    assert!(target.contents()["INBOX"].iter().any(|it| it.0 == strange));
    let notes: Vec<String> = report.folders.iter().flat_map(|it| it.tally.notes()).collect();
    assert!(notes.iter().any(|it| it.contains("other headers")), "{notes:?}");
}

#[tokio::test]
async fn rewritten_message_ids_double_nothing_after_a_crash() {
    for tells_no_uids in [false, true] {
        for call in 0..12 {
            for crash in [Crash::Before(call), Crash::After(call)] {
                let (source, target, ledger) =
                    (Remote::default(), Remote::default(), MemoryLedger::default());
                (0..9).for_each(|it| _ = source.server().folder("INBOX").add("", &text(it)));
                target.server().tells_no_uids = tells_no_uids;
                target.server().lies.rewrites_ids = true;
                let options = PassOptions::default();
                pass(&source, &target, &ledger.crashing(Some(crash)), &options).await;
                assert_synced(&pass(&source, &target, &ledger.crashing(None), &options).await);
                assert_eq!(messages(&target), 9, "{crash:?}, {tells_no_uids}");
            }
        }
    }
}
