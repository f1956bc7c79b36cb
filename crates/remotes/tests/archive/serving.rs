//! The archive as a Dovecot shows it, after the first pass and after later ones.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use mailhaul_engine::Mailbox as _;
use mailhaul_imap::{MailboxName, SelectOptions, StoreMode};
use mailhaul_mail::Flags;
use mailhaul_testkit::{Mailmaker, Setup, corpus};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_dovecot_serves_the_archive_between_passes() {
    let from = filled().await;
    let home = home();
    let root = home.path().join("Maildir");
    let ledger = MemoryLedger::default();
    let before = contents(&from).await;
    let total: usize = before.values().map(|it| it.messages.len()).sum();

    let first = pass(&from, &root, &ledger).await;
    assert_synced(&first);
    assert_eq!((first.total(|it| it.copied), first.skipped().count()), (total as u64, 0));
    for folder in FOLDERS {
        assert_eq!(dates(source(&from), folder).await, dates(archive(&root), folder).await);
    }
    for (file, _) in files(&root) {
        let mode = fs::metadata(&file).unwrap().mode() & 0o777;
        assert_eq!(mode, if file.is_dir() { 0o700 } else { 0o600 }, "{}", file.display());
    }
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);

    // A second pass writes nothing.
    let written = files(&root);
    let second = pass(&from, &root, &ledger).await;
    assert_synced(&second);
    assert_eq!((second.total(|it| it.copied), second.total(|it| it.already)), (0, total as u64));
    assert_eq!(files(&root), written);

    let server = serve(&root, LISTESCAPE);
    assert_equal(&before, &contents(&server).await);
    // Dovecot shows mailhaul's UIDs, and keeps them.
    for folder in ["INBOX", "a.b/c d"] {
        let scan = archive(&root).scan(&path(folder), None).await.unwrap();
        let ours: Vec<u32> = scan.messages.iter().map(|it| it.uid.get()).collect();
        assert_eq!(numbers(&server, folder).await, (scan.status.uid_validity.get(), ours));
    }

    // The user continues to work on the source, and on the archive.
    let mut work = session(&from).await;
    let mut inbox = work.select(&MailboxName::from_text("INBOX"), &SelectOptions::default()).await.unwrap();
    inbox.uid_store(&uids(&[1, 2]), StoreMode::Replace, &flags("\\Flagged Later")).await.unwrap();
    inbox.uid_store(&uids(&[3]), StoreMode::Replace, &Flags::new()).await.unwrap();
    inbox.uid_move(&uids(&[4, 5, 6]), &MailboxName::from_text("a.b/c d")).await.unwrap();
    inbox.uid_store(&uids(&[10, 11]), StoreMode::Add, &flags("\\Deleted")).await.unwrap();
    inbox.uid_expunge(&uids(&[10, 11])).await.unwrap();
    work.logout().await.unwrap();
    let mut maker = Mailmaker::new(42);
    give(&from, "INBOX", (0..7).map(|_| maker.item(1_200)).collect()).await;
    give(&from, "Neu/Ordner", (0..2).map(|_| maker.item(1_200)).collect()).await;
    let mut work = session(&server).await;
    let mut inbox = work.select(&MailboxName::from_text("INBOX"), &SelectOptions::default()).await.unwrap();
    inbox.uid_store(&uids(&[20, 21]), StoreMode::Add, &flags("\\Answered OnTarget")).await.unwrap();
    work.logout().await.unwrap();

    let third = pass(&from, &root, &ledger).await;
    assert_synced(&third);
    let told = [third.total(|it| it.copied), third.total(|it| it.moved), third.total(|it| it.removed)];
    assert_eq!(told, [9, 3, 2], "{third:#?}");
    hand_over(&root);
    let (source, mut target) = (contents(&from).await, contents(&server).await);
    let inbox = target.get_mut("INBOX").unwrap();
    let marked = inbox.messages.iter_mut().filter(|it| it.flags.contains("OnTarget"));
    assert_eq!(marked.count(), 2, "what the user set on the target stays");
    inbox.messages.retain(|it| !it.flags.contains("OnTarget"));
    let mut expected = source.clone();
    let marked: Vec<String> = {
        let scan = archive(&root).scan(&path("INBOX"), None).await.unwrap();
        assert!(scan.messages.iter().all(|it| !it.flags.contains("\\Recent")));
        let left: Vec<&String> = inbox.messages.iter().map(|it| &it.digest).collect();
        let all = &expected["INBOX"].messages;
        all.iter().map(|it| it.digest.clone()).filter(|it| !left.contains(&it)).collect()
    };
    assert_eq!(marked.len(), 2);
    expected.get_mut("INBOX").unwrap().messages.retain(|it| !marked.contains(&it.digest));
    assert_equal(&expected, &target);

    // The ledger is lost: everything is recognised, nothing is sent again.
    let total: usize = source.values().map(|it| it.messages.len()).sum();
    let adopted = pass(&from, &root, &MemoryLedger::default()).await;
    assert_synced(&adopted);
    assert_eq!((adopted.total(|it| it.copied), adopted.total(|it| it.already)), (0, total as u64));
    assert!(!server.log().contains("Error:") && !server.log().contains("Warning:"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dovecot_without_the_plugin_shows_the_escaped_names() {
    let from = filled().await;
    let home = home();
    let root = home.path().join("Maildir");
    assert_synced(&pass(&from, &root, &MemoryLedger::default()).await);
    let source = contents(&from).await;
    let target = contents(&serve(&root, "")).await;
    let names: Vec<&str> = target.keys().map(String::as_str).collect();
    let spelled = [
        "&-tilde~",
        "Empty",
        "Gelöscht/日本語",
        "INBOX",
        "Sent/2020/cur",
        "\\7elead",
        "a\\2eb/c d",
        "back\\5cslash",
    ];
    assert_eq!(names, spelled);
    for (name, spelled) in
        [("~lead", "\\7elead"), ("a.b/c d", "a\\2eb/c d"), ("back\\slash", "back\\5cslash")]
    {
        assert_eq!(source[name], target[spelled]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_dovecot_created_are_continued() {
    let home = home();
    let root = home.path().join("Maildir");
    fs::create_dir(&root).unwrap();
    let server = serve(&root, LISTESCAPE);
    let mut maker = Mailmaker::new(43);
    for folder in ["INBOX", "a.b/c d"] {
        give(&server, folder, (0..3).map(|_| maker.item(2_000)).collect()).await;
    }
    let mut work = session(&server).await;
    work.create(&MailboxName::from_text("Elsewhere")).await.unwrap();
    work.subscribe(&MailboxName::from_text("Elsewhere")).await.unwrap();
    work.logout().await.unwrap();
    let (validity, before) = numbers(&server, "a.b/c d").await;
    assert_eq!(before, [1, 2, 3]);

    let from = filled().await;
    let ledger = MemoryLedger::default();
    let first = pass(&from, &root, &ledger).await;
    assert_synced(&first);
    hand_over(&root);
    let (source, mut target) = (contents(&from).await, contents(&server).await);
    let (after, there) = numbers(&server, "a.b/c d").await;
    assert_eq!((after, &there[..4]), (validity, &[1, 2, 3, 4][..]));
    assert!(target.remove("Elsewhere").unwrap().subscribed);
    for folder in ["INBOX", "a.b/c d"] {
        let messages = &mut target.get_mut(folder).unwrap().messages;
        messages.drain(..3);
    }
    assert_equal(&source, &target);
    let subscriptions = fs::read_to_string(root.join("subscriptions")).unwrap();
    assert!(subscriptions.starts_with("V\t2\n\nElsewhere\n"), "{subscriptions}");
    assert!(!server.log().contains("Error:") && !server.log().contains("Warning:"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_the_archive_through_a_dovecot_comes_what_went_in() {
    let from = filled().await;
    let home = home();
    let root = home.path().join("Maildir");
    assert_synced(&pass(&from, &root, &MemoryLedger::default()).await);
    let server = serve(&root, LISTESCAPE);
    // The same mailbox out of the archive into a new one: nothing was lost on the way there and back.
    let other = home.path().join("Other");
    assert_synced(&pass(&server, &other, &MemoryLedger::default()).await);
    assert_equal(&contents(&from).await, &contents(&serve(&other, LISTESCAPE)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn real_messages_arrive_as_they_are() {
    let from = Setup::with_users(&[USER]).start();
    let mut maker = Mailmaker::new(50);
    let messages: Vec<_> = corpus().into_iter().map(|it| (it, maker.flags(), maker.date())).collect();
    let count = messages.len() as u64;
    give(&from, "INBOX", messages).await;
    let home = home();
    let root = home.path().join("Maildir");
    let ledger = MemoryLedger::default();
    let first = pass(&from, &root, &ledger).await;
    assert_synced(&first);
    assert_eq!(first.total(|it| it.copied), count);
    assert_equal(&contents(&from).await, &contents(&serve(&root, LISTESCAPE)).await);
}
