//! Folders that are renamed or deleted, between passes and during a pass.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use mailhaul_engine::{DeletionPolicy, PassOptions};
use mailhaul_mail::FolderPath;
use support::{CONFIRMED, Crash, MemoryLedger, Remote, pass};

fn mailbox() -> Remote {
    let remote = Remote::default();
    for (folder, number) in [("INBOX", 1), ("Old", 2), ("Old", 3), ("Sent", 4)] {
        let text = format!("Message-ID: <{number}@example.net>\r\nSubject: number {number}\r\n\r\ntext\r\n");
        remote.server().folder(folder).add("", &text);
    }
    remote
}

#[tokio::test]
async fn a_folder_renamed_after_the_listing_gets_its_new_name() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    source.server().renames = Some((FolderPath::parse("Old"), FolderPath::parse("New")));
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    assert!(report.is_synced(), "{report:#?}");
    // The target folder was created before the source was asked.
    let mut there = target.contents();
    assert_eq!(there.remove("Old").unwrap_or_default(), []);
    assert_eq!(there, source.contents());
    assert_eq!(report.total(|it| it.copied), 4);

    // A known folder is renamed on the target too, and only new messages are sent.
    source.server().renames = Some((FolderPath::parse("New"), FolderPath::parse("Newer")));
    source.server().folder("New").add("", "Subject: 5\r\n\r\n");
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!((report.total(|it| it.copied), report.total(|it| it.moved)), (1, 0));
    let mut there = target.contents();
    there.remove("Old");
    assert_eq!(there, source.contents());
}

#[tokio::test]
async fn a_folder_that_is_deleted_after_the_listing_is_no_failure() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    // It replaces another folder.
    source.server().renames = Some((FolderPath::parse("Old"), FolderPath::parse("Sent")));
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!(target.contents()["Sent"], source.contents()["Sent"]);
}

fn rename(remote: &Remote, names: &[(&str, &str)]) {
    let mut server = remote.server();
    for (from, to) in names {
        let folder = server.folders.remove(&FolderPath::parse(from)).unwrap();
        server.folders.insert(FolderPath::parse(to), folder);
    }
}

/// A mailbox with a folder below another one.
fn deep() -> Remote {
    let remote = mailbox();
    remote.server().folder("Old/2020").add("", "Subject: below\r\n\r\n");
    remote
}

#[tokio::test]
async fn renamed_folders_are_renamed_on_the_target_with_what_is_below() {
    let (source, target, ledger) = (deep(), Remote::default(), MemoryLedger::default());
    let options = PassOptions::default();
    assert!(pass(&source, &target, &ledger, &options).await.is_synced());
    // The user's own mail moves with the folder.
    target.server().folder("Old").add("", "Subject: mine\r\n\r\n");
    rename(&source, &[("Old", "New"), ("Old/2020", "New/2020")]);
    source.server().folder("New").set_flags(1, "\\Seen");
    source.server().fetched = 0;
    let report = pass(&source, &target, &ledger, &options).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!((report.total(|it| it.copied), report.total(|it| it.flags_changed)), (0, 1));
    assert_eq!(source.server().fetched, 0);
    target.server().folder("New").expunge(3);
    assert_eq!(target.contents(), source.contents());
    source.server().scans = 0;
    assert!(pass(&source, &target, &ledger, &options).await.is_synced());
    assert_eq!(source.server().scans, 0);
}

#[tokio::test]
async fn a_crash_while_folders_are_renamed_neither_loses_nor_doubles() {
    for step in 1.. {
        let (source, target, ledger) = (deep(), Remote::default(), MemoryLedger::default());
        let options = PassOptions::default();
        assert!(pass(&source, &target, &ledger, &options).await.is_synced());
        rename(&source, &[("Old", "New"), ("Old/2020", "New/2020")]);
        let crashing = ledger.crashing(Some(Crash::Before(step)));
        pass(&source, &target, &crashing, &options).await;
        let report = pass(&source, &target, &ledger.crashing(None), &options).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!((target.contents(), report.total(|it| it.copied)), (source.contents(), 0), "step {step}");
        if crashing.calls() < step {
            break;
        }
    }
}

#[tokio::test]
async fn one_uidvalidity_for_all_folders_is_no_proof_of_a_rename() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    let options = PassOptions::default();
    assert!(pass(&source, &target, &ledger, &options).await.is_synced());
    {
        let mut server = source.server();
        let old = server.folders.remove(&FolderPath::parse("Old")).unwrap();
        for number in [7, 8, 9] {
            let text =
                format!("Message-ID: <{number}@example.net>\r\nSubject: number {number}\r\n\r\ntext\r\n");
            server.folder("Other").add("", &text);
        }
        server.folder("Other").uid_validity = old.uid_validity;
    }
    let report = pass(&source, &target, &ledger, &options).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!(report.total(|it| it.copied), 3);
    assert_eq!(target.contents()["Other"], source.contents()["Other"]);
    assert_eq!(target.contents()["Old"].len(), 2);
}

#[tokio::test]
async fn after_a_refused_rename_messages_move_to_the_new_folder() {
    for deletions in [DeletionPolicy::Keep, DeletionPolicy::Mirror] {
        let (source, target, ledger) = (deep(), Remote::default(), MemoryLedger::default());
        let options = PassOptions { deletions, removals: CONFIRMED, ..PassOptions::default() };
        assert!(pass(&source, &target, &ledger, &options).await.is_synced());
        rename(&source, &[("Old", "New"), ("Old/2020", "New/2020")]);
        target.server().refuses_renames = true;
        let report = pass(&source, &target, &ledger, &options).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!((report.total(|it| it.copied), report.total(|it| it.moved)), (0, 3));
        let mut there = target.contents();
        if deletions == DeletionPolicy::Keep {
            assert_eq!((there.remove("Old").unwrap(), there.remove("Old/2020").unwrap()), (vec![], vec![]));
        }
        assert_eq!(there, source.contents());
        // The departed folders are done.
        let again = pass(&source, &target, &ledger, &options).await;
        assert!(again.is_synced() && again.folders.len() == 4, "{again:#?}");
    }
}
