//! Sums of large batches, which looks share.

use std::time::Duration;

use mailhaul_migration::{BatchIntent, Guid, UserEvent, UserStatus};

use super::{at, batch, claim, end, endpoint, on_both, row, service};
use crate::{BatchFilter, Due, UserFilter, Users};

on_both! {
    users_of_a_large_batch_are_added_up_once_for_all_looks,
    small_batches_are_added_up_at_each_look,
}

async fn users_of_a_large_batch_are_added_up_once_for_all_looks() {
    let (home, store) = service().await;
    // No clock decides in this test.
    store.keep_sums_for(Duration::MAX);
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let users = (2..1302).map(|number| row(number, &format!("user{number}"))).collect();
    store.batches().insert(batch("Large", &source, BatchIntent::Run), users).await.unwrap();
    let look = async || store.batches().look_at("Large").await.unwrap();
    assert_eq!(look().await, store.batches().get("Large").await.unwrap());
    for _ in 0..100 {
        assert_eq!(store.batches().list(&BatchFilter::default()).await.unwrap(), [look().await]);
    }
    assert_eq!(store.sums(), 1);
    // What a worker did is not shown yet, except to those who decide by it.
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 1)).await.unwrap().remove(0);
    store.jobs().release(&claimed.lease, end(UserEvent::Synced, 2, Due::At(at(10)))).await.unwrap();
    assert_eq!((look().await.counts.of(UserStatus::Synced), store.sums()), (0, 1));
    assert_eq!(store.batches().get("Large").await.unwrap().counts.of(UserStatus::Synced), 1);
    // An order is shown at once, also one of another node. This user was not claimed.
    let user = store.users().get("user1201@new.example", None).await.unwrap();
    store.jobs().apply(Users::One(user.guid), UserEvent::Stop, at(3), Due::Never).await.unwrap();
    assert_eq!((look().await.counts.of(UserStatus::Stopped), store.sums()), (1, 2));
    let other = home.open().await;
    let filter = UserFilter { search: Some("user9".to_owned()), ..UserFilter::default() };
    let removed = other.users().remove_selected(filter).await.unwrap().len() as u64;
    assert_eq!((look().await.counts.total(), store.sums()), (1300 - removed, 3));
    // Settings are always those of the batch itself.
    let batch = store.batches().named("Large").await.unwrap();
    store.batches().update(batch.guid, |batch| batch.submitted_by = "berta".to_owned()).await.unwrap();
    assert_eq!((look().await.batch.submitted_by.as_str(), store.sums()), ("berta", 3));
    other.close().await;
    store.close().await;
}

async fn small_batches_are_added_up_at_each_look() {
    let (_home, store) = service().await;
    store.keep_sums_for(Duration::MAX);
    let (source, _) = super::running(&store, &["anna"]).await;
    let look = async || store.batches().look_at("Sales").await.unwrap();
    assert_eq!(look().await.counts.of(UserStatus::Synced), 0);
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 1)).await.unwrap().remove(0);
    store.jobs().release(&claimed.lease, end(UserEvent::Synced, 2, Due::At(at(10)))).await.unwrap();
    assert_eq!(look().await.counts.of(UserStatus::Synced), 1);
}
