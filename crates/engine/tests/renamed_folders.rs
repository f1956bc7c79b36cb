//! Folders that are renamed or deleted while a pass is under way.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use mailhaul_engine::{Deletions, PassOptions};
use mailhaul_mail::FolderPath;
use support::{MemoryLedger, Remote, pass};

fn mailbox() -> Remote {
    let remote = Remote::default();
    for (folder, number) in [("INBOX", 1), ("Old", 2), ("Old", 3), ("Sent", 4)] {
        let text = format!("Message-ID: <{number}@example.net>\r\nSubject: number {number}\r\n\r\ntext\r\n");
        remote.server().folder(folder).add("", &text);
    }
    remote
}

#[tokio::test]
async fn a_folder_that_is_renamed_after_the_listing_arrives_under_its_new_name() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    source.server().renames = Some((FolderPath::parse("Old"), FolderPath::parse("New")));
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    assert!(report.is_synced(), "{report:#?}");
    // The target was made before the source was asked.
    let mut there = target.contents();
    assert_eq!(there.remove("Old").unwrap_or_default(), []);
    assert_eq!(there, source.contents());
    assert_eq!(report.total(|it| it.copied), 4);

    // Known folders: what is there is moved, and not sent again.
    source.server().renames = Some((FolderPath::parse("New"), FolderPath::parse("Newer")));
    source.server().folder("New").add("", "Subject: 5\r\n\r\n");
    let options = PassOptions { deletions: Deletions::Mirror, ..PassOptions::default() };
    let report = pass(&source, &target, &ledger, &options).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!((report.total(|it| it.copied), report.total(|it| it.moved)), (1, 2));
    assert_eq!(target.contents()["Newer"], source.contents()["Newer"]);
    assert!(target.contents()["New"].is_empty());
}

#[tokio::test]
async fn a_folder_that_is_deleted_after_the_listing_is_no_failure() {
    let (source, target, ledger) = (mailbox(), Remote::default(), MemoryLedger::default());
    // It takes the place of another.
    source.server().renames = Some((FolderPath::parse("Old"), FolderPath::parse("Sent")));
    let report = pass(&source, &target, &ledger, &PassOptions::default()).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!(target.contents()["Sent"], source.contents()["Sent"]);
}
