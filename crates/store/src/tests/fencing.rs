//! The ledger of a worker whose lease has ended.

use mailhaul_engine::{Error, ErrorKind, Ledger, LedgerRecord};
use mailhaul_mail::{FolderPath, Retry, Scope, UidValidity};
use mailhaul_migration::{Guid, UserEvent};

use super::{at, claim, end, on_both, running, service};
use crate::{Claim, Due, Store, StoreError};

on_both! {
    a_worker_writes_while_its_lease_lasts_and_not_after,
    a_removed_user_leaves_its_ledger_and_its_worker_cannot_write,
    a_fenced_write_does_not_spoil_its_neighbours,
}

const SOURCE: &str = "terry@old.example";
const TARGET: &str = "terry@new.example";

fn opened(folder: &str) -> LedgerRecord {
    let path = FolderPath::parse(folder);
    LedgerRecord::Opened { folder: path.clone(), target: path, uid_validity: UidValidity::new(7).unwrap() }
}

fn is_fenced_off(error: &Error) {
    assert_eq!((error.scope, error.retry, error.kind), (Scope::Endpoint, Retry::Never, ErrorKind::Ledger));
    assert!(error.message.starts_with("terry@new.example: "), "{}", error.message);
}

async fn folders(store: &Store, source: &str, target: &str) -> usize {
    store.ledgers().mailbox(source, target).await.unwrap().folders().await.unwrap().len()
}

async fn a_worker_writes_while_its_lease_lasts_and_not_after() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry"]).await;
    let lease = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap()[0].lease;
    let ledger = store.ledgers().leased_mailbox(SOURCE, TARGET, &lease).await.unwrap();
    ledger.record(&[opened("INBOX")]).await.unwrap();
    assert_eq!(ledger.folders().await.unwrap().len(), 1);
    assert!(matches!(store.ledgers().mailbox(SOURCE, TARGET).await.err(), Some(StoreError::Locked { .. })));

    store.jobs().recover(at(100), Guid::new_v4()).await.unwrap();
    is_fenced_off(&ledger.record(&[opened("Sent")]).await.unwrap_err());
    let next = store.jobs().claim(claim(&source, Guid::new_v4(), 100)).await.unwrap()[0].lease;
    let error = ledger.record(&[opened("Sent")]).await.unwrap_err();
    is_fenced_off(&error);
    assert!(error.message.ends_with("another worker has claimed the mailbox"), "{}", error.message);
    assert_eq!(ledger.folders().await.unwrap().len(), 1);
    drop(ledger);

    let ledger = store.ledgers().leased_mailbox(SOURCE, TARGET, &next).await.unwrap();
    ledger.record(&[opened("Sent")]).await.unwrap();
    store.jobs().release(&next, end(UserEvent::Synced, 101, Due::Never)).await.unwrap();
    is_fenced_off(&ledger.record(&[opened("Drafts")]).await.unwrap_err());
    drop(ledger);
    assert_eq!(folders(&store, SOURCE, TARGET).await, 2);
}

async fn a_removed_user_leaves_its_ledger_and_its_worker_cannot_write() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let lease = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap()[0].lease;
    let ledger = store.ledgers().leased_mailbox(SOURCE, TARGET, &lease).await.unwrap();
    ledger.record(&[opened("INBOX")]).await.unwrap();
    store.batches().remove(sales.guid).await.unwrap();
    let error = ledger.record(&[opened("Sent")]).await.unwrap_err();
    assert_eq!(error.message, format!("{}: it was removed from its batch", lease.user));
    drop(ledger);
    assert_eq!(folders(&store, SOURCE, TARGET).await, 1);
}

async fn a_fenced_write_does_not_spoil_its_neighbours() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna", "berta", "carla", "dora"]).await;
    let (dead, alive) = (Guid::new_v4(), Guid::new_v4());
    let lost = store.jobs().claim(Claim { limit: 1, ..claim(&source, dead, 10) }).await.unwrap();
    let held = store.jobs().claim(claim(&source, alive, 10)).await.unwrap();
    store.jobs().recover(at(11), alive).await.unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for it in lost.iter().chain(&held) {
        let ledger = store.ledgers().leased_mailbox(&it.user.user_name, TARGET, &it.lease).await.unwrap();
        let is_good = held.contains(it);
        writes.spawn(async move { (is_good, ledger.record(&[opened("INBOX")]).await.is_ok()) });
    }
    // One thread: all requests are there before the writer runs, so that they share a transaction.
    while let Some(done) = writes.join_next().await {
        let (is_good, is_done) = done.unwrap();
        assert_eq!(is_good, is_done);
    }
    // On a server the rights last as long as the leases.
    store.jobs().recover(at(12), Guid::new_v4()).await.unwrap();
    for (name, expected) in [("anna", 0), ("berta", 1), ("carla", 1), ("dora", 1)] {
        assert_eq!(folders(&store, name, TARGET).await, expected, "{name}");
    }
}
