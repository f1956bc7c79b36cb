//! Sums over all users.

use mailhaul_migration::{FailureClass, Guid, Statistics, UserEvent};

use super::{at, claim, end, failure, on_both, running, service};
use crate::{Due, Release};

on_both! {
    all_users_are_added_up_and_failures_counted,
}

async fn all_users_are_added_up_and_failures_counted() {
    let (_data, store) = service().await;
    assert_eq!(store.users().totals().await.unwrap(), Statistics::default());
    assert_eq!(store.users().count_failures().await.unwrap(), []);
    let (source, _) = running(&store, &["anna", "berta", "carla"]).await;
    for it in store.jobs().claim(claim(&source, Guid::new_v4(), 1)).await.unwrap() {
        let event = if it.user.user_name == "anna" { UserEvent::Synced } else { UserEvent::Deferred };
        let release = Release {
            failure: (event == UserEvent::Deferred).then(failure),
            statistics: Statistics { total_items: 5, bytes_transferred: 7, ..Statistics::default() },
            ..end(event, 2, Due::At(at(10)))
        };
        store.jobs().release(&it.lease, release).await.unwrap();
    }
    let totals = store.users().totals().await.unwrap();
    assert_eq!((totals.total_items, totals.bytes_transferred, totals.queued_millis), (15, 21, 3_000));
    assert_eq!(store.users().count_failures().await.unwrap(), [(FailureClass::Connection, 2)]);
    assert_eq!(store.users().count_waiting(at(9)).await.unwrap(), 2);
    assert_eq!(store.users().count_waiting(at(10)).await.unwrap(), 0);
}
