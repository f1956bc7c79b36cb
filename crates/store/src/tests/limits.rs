//! Limits of servers: bytes by the hour, and parked endpoints.

use jiff::Timestamp;
use tempfile::TempDir;

use super::{counted, endpoint};
use crate::{Parking, Store};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[tokio::test]
async fn bytes_are_added_by_hour_and_old_hours_are_removed() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let old = store.endpoints().insert(endpoint("Old"), None).await.unwrap().guid;
    let new = store.endpoints().insert(endpoint("New"), None).await.unwrap().guid;
    store.jobs().add_usage(counted(old, "terry"), vec![(100, 5), (101, 7)], 90).await.unwrap();
    store.jobs().add_usage(counted(old, "terry"), vec![(101, 1)], 90).await.unwrap();
    store.jobs().add_usage(counted(old, "ann"), vec![(101, 20)], 90).await.unwrap();
    store.jobs().add_usage(counted(new, "terry"), vec![(101, 300)], 90).await.unwrap();
    store.close().await;
    let store = Store::open(data.path()).await.unwrap();
    assert_eq!(store.jobs().usage(old, Some("terry"), 0).await.unwrap(), [(100, 5), (101, 8)]);
    assert_eq!(store.jobs().usage(old, None, 0).await.unwrap(), [(100, 5), (101, 28)]);
    assert_eq!(store.jobs().usage(old, None, 101).await.unwrap(), [(101, 28)]);
    store.jobs().add_usage(counted(new, "ann"), vec![(102, 1)], 101).await.unwrap();
    assert_eq!(store.jobs().usage(old, None, 0).await.unwrap(), [(101, 28)]);
    // The usage goes with its endpoint, and late usage is dropped.
    store.endpoints().remove(old).await.unwrap();
    store.jobs().add_usage(counted(old, "terry"), vec![(102, 1)], 101).await.unwrap();
    assert!(store.jobs().usage(old, None, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_endpoint_is_parked_until_its_time() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let old = store.endpoints().insert(endpoint("Old"), None).await.unwrap().guid;
    let parking = Parking { since: at(0), until: at(60), reason: "NO Server Busy".into() };
    store
        .jobs()
        .park(old, {
            let it = parking.clone();
            move |before| {
                assert_eq!(before, None);
                it
            }
        })
        .await
        .unwrap();
    store.close().await;
    let store = Store::open(data.path()).await.unwrap();
    assert_eq!(store.jobs().parked(at(59)).await.unwrap(), [(old, parking.clone())]);
    assert!(store.jobs().parked(at(60)).await.unwrap().is_empty());
    // A pause that has ended is remembered, for the decision on the next one.
    store
        .jobs()
        .park(old, move |before| {
            assert_eq!(before, Some(parking));
            Parking { since: at(70), until: at(200), reason: "again".into() }
        })
        .await
        .unwrap();
    store.jobs().unpark(old, at(71)).await.unwrap();
    assert!(store.jobs().parked(at(71)).await.unwrap().is_empty());
}
