//! Limits of disk and format: a full disk, a read-only one, too many keywords, long names.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use mailhaul_engine::{ErrorKind, Mailbox as _};
use mailhaul_mail::{Flags, Scope};
use mailhaul_testkit::{Mailmaker, Setup};
use tempfile::TempDir;

use crate::support::*;

/// A small file system of its own, if the test may mount one.
struct Disk(TempDir);

impl Disk {
    fn of(size: &str) -> Option<Self> {
        let home = home();
        let options = format!("size={size},mode=755");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(home.path()).output();
        mounted.is_ok_and(|it| it.status.success()).then(|| Self(home))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, options: &str) {
        let remounted =
            Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.path()).status();
        assert!(remounted.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_next_pass_goes_on() {
    let Some(disk) = Disk::of("4m") else {
        eprintln!("without the right to mount there is no small disk to fill");
        return;
    };
    let root = disk.path().join("Maildir");
    let from = filled().await;
    let mut maker = Mailmaker::new(46);
    give(&from, "Large", (0..40).map(|_| maker.item(120_000)).collect()).await;
    let ledger = MemoryLedger::default();
    let full = pass(&from, &root, &ledger).await;
    let error = full.error.clone().unwrap();
    assert_eq!((error.kind, error.scope), (ErrorKind::Quota, Scope::Endpoint), "{error}");
    for words in [root.to_str().unwrap(), "terrya's archive", "No space left on device", "free some space"] {
        assert!(error.message.contains(words), "{error}");
    }
    let half_written = |it: &&std::path::PathBuf| it.parent().unwrap().ends_with("tmp");
    let written = files(&root);
    assert_eq!(written.keys().filter(half_written).count(), 0, "{written:#?}");
    // Acknowledged messages exist.
    let mut there = 0;
    for folder in archive(&root).folders().await.unwrap() {
        there += archive(&root).status(&folder.path).await.unwrap().messages;
    }
    assert!(u64::from(there) >= full.total(|it| it.copied), "{there}");
    disk.remount("size=300m");
    assert_synced(&pass(&from, &root, &ledger).await);
    assert_equal(&contents(&from).await, &contents(&serve(&root, LISTESCAPE)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_directory_is_reported_and_unchanged() {
    let from = filled().await;
    let ledger = MemoryLedger::default();
    if let Some(disk) = Disk::of("300m") {
        let root = disk.path().join("deep/below/Maildir");
        for _ in 0..2 {
            disk.remount("ro");
            let refused = pass(&from, &root, &ledger).await;
            let error = refused.folders.iter().find_map(|it| it.error.clone()).or(refused.error).unwrap();
            assert_eq!((error.kind, error.scope), (ErrorKind::Refused, Scope::Endpoint), "{error}");
            assert!(error.message.contains(disk.path().to_str().unwrap()), "{error}");
            assert!(error.message.contains("Read-only file system"), "{error}");
            disk.remount("rw");
            assert_synced(&pass(&from, &root, &ledger).await);
            give(&from, "INBOX", vec![Mailmaker::new(47).item(900)]).await;
        }
        return;
    }
    let home = home();
    let root = home.path().join("Maildir");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let refused = pass(&from, &root, &ledger).await;
    let error = refused.folders.iter().find_map(|it| it.error.clone()).or(refused.error).unwrap();
    assert_eq!((error.kind, error.scope), (ErrorKind::Refused, Scope::Folder), "{error}");
    assert!(error.message.contains(root.to_str().unwrap()), "{error}");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_synced(&pass(&from, &root, &ledger).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn keywords_beyond_the_alphabet_are_lost_and_not_tried_again() {
    let from = Setup::with_users(&[USER]).start();
    let mut maker = Mailmaker::new(48);
    let messages = (0..30).map(|number| {
        let flags: Flags = ["\\Seen", &format!("keyword{number:02}")].into_iter().collect();
        (maker.message(700), flags, maker.date())
    });
    give(&from, "INBOX", messages.collect()).await;
    let home = home();
    let root = home.path().join("Maildir");
    let ledger = MemoryLedger::default();
    assert_synced(&pass(&from, &root, &ledger).await);
    let server = serve(&root, LISTESCAPE);
    let target = contents(&server).await;
    for (number, message) in target["INBOX"].messages.iter().enumerate() {
        let expected = if number < 26 { format!("\\Seen keyword{number:02}") } else { "\\Seen".to_owned() };
        assert_eq!(message.flags, expected);
    }
    give(&from, "INBOX", vec![maker.item(700)]).await;
    let second = pass(&from, &root, &ledger).await;
    assert_synced(&second);
    assert_eq!((second.total(|it| it.copied), second.total(|it| it.flags_changed)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_too_long_for_a_directory_are_kept_in_a_file() {
    let from = Setup::with_users(&[USER]).start();
    let mut maker = Mailmaker::new(49);
    let deep = ["Ärger mit dem Vermieter"; 9].join("/");
    let (one, other) = (format!("{deep}/eins"), format!("{deep}/zwei"));
    for folder in [&one, &other] {
        give(&from, folder, vec![maker.item(700)]).await;
    }
    let home = home();
    let root = home.path().join("Maildir");
    let ledger = MemoryLedger::default();
    assert_synced(&pass(&from, &root, &ledger).await);
    let listed: Vec<String> =
        archive(&root).folders().await.unwrap().iter().map(|it| it.path.to_string()).collect();
    assert_eq!(listed, ["INBOX", one.as_str(), other.as_str()]);
    assert_eq!(dates(source(&from), &one).await, dates(archive(&root), &one).await);
    // Dovecot shows them too, under other names.
    let target = contents(&serve(&root, LISTESCAPE)).await;
    assert_eq!((target.len(), target.values().map(|it| it.messages.len()).sum::<usize>()), (3, 2));
    let adopted = pass(&from, &root, &MemoryLedger::default()).await;
    assert_eq!((adopted.total(|it| it.copied), adopted.total(|it| it.already)), (0, 2));
}
