//! Work at batches and endpoints, by periods of time.

use mailhaul_migration::{Guid, UserEvent};

use super::{at, claim, end, on_both, running, service};
use crate::{Due, KeptPeriod, MinuteOfWork, PendingOfBatch, PendingUsers, Work};

on_both!(nodes_add_their_work_to_one_row, old_periods_are_deleted, users_that_do_not_move_are_counted,);

fn work(bytes: u64) -> Work {
    Work { bytes, messages: bytes / 10, busy_seconds: 60 }
}

fn minute(owner: Guid, begun: i64, bytes: u64, waiting: u64) -> MinuteOfWork {
    let pending = PendingUsers { waiting, failed: 1 };
    MinuteOfWork { owner, begun, work: work(bytes), pending }
}

/// A whole quarter-hour.
const START: i64 = 1_760_000_400;

async fn nodes_add_their_work_to_one_row() {
    let (home, one) = service().await;
    let other = home.open().await;
    let (owner, stranger) = (Guid::from_u128(1), Guid::from_u128(2));
    let minutes =
        vec![minute(owner, START + 60, 200, 4), minute(stranger, START, 7, 0), minute(owner, START, 100, 5)];
    one.throughput().add_work(minutes, at(1000)).await.unwrap();
    other.throughput().add_work(vec![minute(owner, START, 30, 3)], at(1000)).await.unwrap();
    let period = |begun, bytes, minutes: u64, waiting| KeptPeriod {
        begun,
        work: Work { bytes, messages: bytes / 10, busy_seconds: 60 * minutes },
        pending: PendingUsers { waiting, failed: 1 },
    };
    let minutes = one.throughput().work(owner, 60, START, START + 900).await.unwrap();
    assert_eq!(minutes, [period(START, 130, 2, 3), period(START + 60, 200, 1, 4)]);
    assert_eq!(other.throughput().work(owner, 900, 0, i64::MAX).await.unwrap(), [period(START, 330, 3, 3)]);
    assert_eq!(one.throughput().work_of_minute(START).await.unwrap().len(), 2);
    assert_eq!(one.throughput().work_of_minute(START + 60).await.unwrap(), [(owner, work(200))]);
    assert_eq!(one.throughput().work(owner, 60, START + 60, START + 60).await.unwrap(), []);
    assert_eq!(one.throughput().work(owner, 60, START + 1, START + 61).await.unwrap().len(), 1);
}

async fn old_periods_are_deleted() {
    let (_home, store) = service().await;
    let owner = Guid::from_u128(1);
    store.throughput().add_work(vec![minute(owner, START, 100, 0)], at(1000)).await.unwrap();
    let count = async |step| store.throughput().work(owner, step, 0, i64::MAX).await.unwrap().len();
    let hours = |hours: i64| at(START - at(0).as_second() + hours * 3600);
    store.throughput().add_work(Vec::new(), hours(48)).await.unwrap();
    assert_eq!((count(60).await, count(900).await), (1, 1));
    store.throughput().add_work(vec![minute(owner, START + 48 * 3600, 1, 0)], hours(49)).await.unwrap();
    assert_eq!((count(60).await, count(900).await), (1, 2));
    store.throughput().add_work(Vec::new(), hours(90 * 24 + 1)).await.unwrap();
    assert_eq!((count(60).await, count(900).await), (0, 1));
}

async fn users_that_do_not_move_are_counted() {
    let (_home, store) = service().await;
    assert_eq!(store.throughput().pending_users().await.unwrap(), []);
    let (source, batch) = running(&store, &["ann", "terry", "anna"]).await;
    let pending = |waiting, failed| PendingOfBatch {
        batch: batch.guid,
        name: "Sales".to_owned(),
        source_endpoint: source.guid,
        target_endpoint: None,
        users: PendingUsers { waiting, failed },
    };
    assert_eq!(store.throughput().pending_users().await.unwrap(), [pending(3, 0)]);
    let claimed =
        store.jobs().claim(crate::Claim { limit: 2, ..claim(&source, Guid::new_v4(), 1) }).await.unwrap();
    assert_eq!(store.throughput().pending_users().await.unwrap(), [pending(1, 0)]);
    store.jobs().release(&claimed[0].lease, end(UserEvent::Failed, 2, Due::Never)).await.unwrap();
    assert_eq!(store.throughput().pending_users().await.unwrap(), [pending(1, 1)]);
}
