//! Locks of mailboxes: one file for all of them.

use std::{fs, os::unix::fs::OpenOptionsExt as _};

use super::service;
use crate::{Store, StoreError};

#[tokio::test]
async fn a_mailbox_has_one_holder_and_leaves_no_file() {
    let (data, store) = service().await;
    let second = Store::open(data.path()).await.unwrap();
    let files = || fs::read_dir(data.path().join("locks")).unwrap().count();
    let held = store.ledgers().mailbox("a", "b").await.unwrap();
    let before = files();
    for number in 0..50 {
        store.ledgers().mailbox(&number.to_string(), "b").await.unwrap();
    }
    assert_eq!(files(), before);
    for store in [&store, &second] {
        assert!(matches!(store.ledgers().mailbox("a", "b").await, Err(StoreError::Locked { .. })));
    }
    // Other locks were taken and released, and this one is still held.
    drop(held);
    let held = second.ledgers().mailbox("a", "b").await.unwrap();
    assert!(matches!(store.ledgers().mailbox("a", "b").await, Err(StoreError::Locked { .. })));
    drop(held);
    store.ledgers().mailbox("a", "b").await.unwrap();
}

#[tokio::test]
async fn old_lock_files_are_removed_unless_they_are_held() {
    let (data, store) = service().await;
    let locks = data.path().join("locks");
    let file = |name: &str| {
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(locks.join(name)).unwrap()
    };
    let held = file("7.lock");
    held.lock().unwrap();
    (10..100).for_each(|number| drop(file(&format!("{number}.lock"))));
    drop(file("notes.lock"));
    let _service = store.lock_service().unwrap();
    let mut left: Vec<_> = fs::read_dir(&locks)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left, ["7.lock", "key.lock", "notes.lock", "schema.lock", "serve.lock"]);
}
