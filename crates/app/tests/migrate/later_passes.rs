//! Later passes: new mail, flags, moves and deletions, and unchanged parts.

use mailhaul_imap::{MailboxName, SearchKey, SelectOptions, Session, StoreMode};
use mailhaul_mail::{Flags, Uid, UidSet};
use mailhaul_testkit::{Dovecot, Setup, connect};

use crate::support::{Haul, assert_same, contents, give};

async fn session(server: &Dovecot, user: &str) -> Session {
    connect(server.port(), user, &Dovecot::password(user)).await
}

fn name(folder: &str) -> MailboxName {
    MailboxName::from_text(folder)
}

fn uids(numbers: &[u32]) -> UidSet {
    numbers.iter().filter_map(|it| Uid::new(*it)).collect()
}

fn flags(text: &str) -> Flags {
    text.split_whitespace().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_follow_and_the_targets_own_changes_stay() {
    let (from, to) = (Setup::with_users(&["terrya"]).start(), Setup::with_users(&["terrya"]).start());
    give(&from, "terrya", "INBOX", &[900; 30], 1).await;
    give(&from, "terrya", "Archive", &[900; 5], 2).await;
    let haul = Haul::new("terrya", from.port(), to.port());
    haul.expect(0, &[]);
    assert_same(&from, &to, "terrya").await;

    // The user goes on working on the source ...
    let mut source = session(&from, "terrya").await;
    let mut inbox = source.select(&name("INBOX"), &SelectOptions::default()).await.unwrap();
    inbox.uid_store(&uids(&[1, 2]), StoreMode::Replace, &flags("\\Flagged Later")).await.unwrap();
    inbox.uid_store(&uids(&[3]), StoreMode::Replace, &Flags::new()).await.unwrap();
    inbox.uid_move(&uids(&[4, 5, 6]), &name("Archive")).await.unwrap();
    source.logout().await.unwrap();
    give(&from, "terrya", "INBOX", &[1_200; 7], 3).await;
    give(&from, "terrya", "Neu/Ordner", &[1_200; 2], 4).await;
    // ... and on the target.
    let mut target = session(&to, "terrya").await;
    let mut inbox = target.select(&name("INBOX"), &SelectOptions::default()).await.unwrap();
    inbox.uid_store(&uids(&[9]), StoreMode::Add, &flags("\\Answered OnTarget")).await.unwrap();
    target.logout().await.unwrap();

    let second = haul.mailbox(&[]);
    assert_eq!((second["copied"].as_u64(), second["moved"].as_u64()), (Some(9), Some(3)), "{second:#}");
    let (source, mut target) = (contents(from.port(), "terrya").await, contents(to.port(), "terrya").await);
    let changed = target.get_mut("INBOX").unwrap();
    assert!(changed.messages.iter().any(|it| it.flags.contains("OnTarget")), "the target's own flag stays");
    changed.messages.retain(|it| !it.flags.contains("OnTarget"));
    assert_eq!(changed.messages.len() + 1, source["INBOX"].messages.len());
    assert_eq!(source["Archive"].messages.len(), target["Archive"].messages.len());
    assert_eq!(source["Neu/Ordner"], target["Neu/Ordner"]);

    let third = haul.mailbox(&[]);
    assert_eq!((third["copied"].as_u64(), third["flagsChanged"].as_u64()), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_are_kept_or_mirrored_and_only_of_our_own_copies() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[900; 10], 1).await;
    let haul = Haul::new("annb", from.port(), to.port());
    haul.expect(0, &[]);
    give(&to, "annb", "INBOX", &[900; 2], 99).await;
    let delete = async |numbers: &[u32]| {
        let mut source = session(&from, "annb").await;
        let mut inbox = source.select(&name("INBOX"), &SelectOptions::default()).await.unwrap();
        inbox.uid_store(&uids(numbers), StoreMode::Add, &flags("\\Deleted")).await.unwrap();
        inbox.uid_expunge(&uids(numbers)).await.unwrap();
        source.logout().await.unwrap();
    };
    delete(&[1, 2]).await;
    haul.expect(0, &[]);
    assert_eq!(contents(to.port(), "annb").await["INBOX"].messages.len(), 12);
    delete(&[3, 4, 5]).await;
    let mirrored = haul.mailbox(&["--deletions", "mirror"]);
    assert_eq!(mirrored["removed"].as_u64(), Some(3));
    assert_eq!(contents(to.port(), "annb").await["INBOX"].messages.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recreated_folder_on_either_side_is_paired_again() {
    let (from, mut to) = (Setup::with_users(&["paulc"]).start(), Setup::with_users(&["paulc"]).start());
    give(&from, "paulc", "Work", &[900; 12], 1).await;
    let haul = Haul::new("paulc", from.port(), to.port());
    haul.expect(0, &[]);
    // The target loses its folder, and gets the messages back under another UIDVALIDITY, but for those of the second half.
    std::fs::remove_dir_all(to.home("paulc")).unwrap();
    // Dovecot makes UIDVALIDITY out of the second in which it makes the folder.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    to.restart();
    give(&to, "paulc", "Work", &[900; 6], 1).await;
    give(&from, "paulc", "Work", &[900; 1], 2).await;
    let again = haul.mailbox(&[]);
    assert_eq!(again["copied"].as_u64(), Some(7), "{again:#}");
    assert_same(&from, &to, "paulc").await;
    // Without a change on the source the target is not scanned: its loss is found with the next change.
    let mut target = session(&to, "paulc").await;
    let mut work = target.select(&name("Work"), &SelectOptions::default()).await.unwrap();
    let all = work.uid_search(&[SearchKey::All]).await.unwrap();
    assert_eq!(all.len(), 13);
    target.logout().await.unwrap();
}
