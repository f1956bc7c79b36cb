//! Users at which the process of the service ended.

use mailhaul_engine::{Ledger as _, LedgerRecord, MessageState};
use mailhaul_mail::{FolderPath, Uid, UidValidity};
use mailhaul_migration::{FailureClass, Guid, UserEvent, UserStatus};

use super::{at, claim, end, on_both, running, service, user};
use crate::{ClaimedUser, Due, Store, Users};

on_both! {
    a_mailbox_that_ends_the_process_three_times_alone_fails,
    an_orderly_end_or_a_copied_message_resets_the_count,
    suspects_are_tried_one_after_the_other,
}

/// Claims the due users in a new process, which then ends.
async fn die(store: &Store, source: &mailhaul_migration::Endpoint, now: i64) -> Vec<ClaimedUser> {
    let owner = Guid::new_v4();
    store.jobs().recover(at(now), owner).await.unwrap();
    store.jobs().claim(claim(source, owner, now)).await.unwrap()
}

async fn a_mailbox_that_ends_the_process_three_times_alone_fails() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry"]).await;
    assert_eq!(die(&store, &source, 10).await.len(), 1);
    assert_eq!(die(&store, &source, 20).await.len(), 1);
    // The second end: the user waits for a minute.
    assert_eq!(die(&store, &source, 30).await.len(), 0);
    assert_eq!(user(&store, "terry").await.due, Some(at(90)));
    for now in [90, 150, 210] {
        assert_eq!(die(&store, &source, now).await.len(), 1, "{now}");
        assert_eq!(die(&store, &source, now).await.len(), 0, "{now}");
    }
    let terry = user(&store, "terry").await;
    let failure = terry.failure.unwrap();
    assert_eq!((terry.status, terry.due, failure.class), (UserStatus::Failed, None, FailureClass::Internal));
    assert!(failure.message.contains("ended 5 times in a row"), "{}", failure.message);
    // After a start it has as many attempts as before.
    store.jobs().apply(Users::One(terry.guid), UserEvent::Start, at(310), Due::At(at(310))).await.unwrap();
    assert_eq!(die(&store, &source, 310).await.len(), 1);
    assert_eq!(die(&store, &source, 320).await.len(), 1);
}

async fn an_orderly_end_or_a_copied_message_resets_the_count() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry"]).await;
    die(&store, &source, 10).await;
    let claimed = die(&store, &source, 20).await;
    let ledger = store.ledgers().leased_mailbox("a", "b", &claimed[0].lease).await.unwrap();
    let (folder, uid_validity) = (FolderPath::inbox(), UidValidity::new(1).unwrap());
    ledger
        .record(&[LedgerRecord::Opened { folder: folder.clone(), target: folder, uid_validity }])
        .await
        .unwrap();
    let copied = LedgerRecord::Message {
        folder: FolderPath::inbox(),
        uid: Uid::new(1).unwrap(),
        state: Some(MessageState::Skipped("too large".to_owned())),
    };
    ledger.record(&[copied]).await.unwrap();
    drop(ledger);
    // The first end after the message, and the second.
    let claimed = die(&store, &source, 30).await;
    store.jobs().release(&claimed[0].lease, end(UserEvent::Deferred, 40, Due::At(at(40)))).await.unwrap();
    for now in [50, 60] {
        assert_eq!(die(&store, &source, now).await.len(), 1, "{now}");
    }
    let owner = Guid::new_v4();
    store.jobs().recover(at(61), owner).await.unwrap();
    let claimed = store.jobs().claim(claim(&source, owner, 130)).await.unwrap();
    assert_eq!(claimed.len(), 1);
    // A process that returns its leases does no harm to its users.
    assert_eq!(store.jobs().give_back(at(131), owner).await.unwrap(), 1);
    assert_eq!(die(&store, &source, 131).await.len(), 1);
}

async fn suspects_are_tried_one_after_the_other() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna", "berta"]).await;
    assert_eq!(die(&store, &source, 10).await.len(), 2);
    assert_eq!(die(&store, &source, 20).await.len(), 2);
    let owner = Guid::new_v4();
    store.jobs().recover(at(30), owner).await.unwrap();
    let claimed = store.jobs().claim(claim(&source, owner, 200)).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(store.jobs().claim(claim(&source, owner, 200)).await.unwrap(), []);
    store.jobs().release(&claimed[0].lease, end(UserEvent::Synced, 201, Due::Never)).await.unwrap();
    assert_eq!(store.jobs().claim(claim(&source, owner, 202)).await.unwrap().len(), 1);
}
