//! Estimated end of a batch.

use jiff::ToSpan as _;
use mailhaul_migration::UserEvent;
use mailhaul_store::{Heartbeat, MinuteOfWork, PendingUsers, Work};
use serde_json::{Value, json};

use super::support::Desk;

#[tokio::test]
async fn a_batch_tells_its_end_when_enough_is_known() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b"], json!({ "AutoStart": true })).await;
    let estimate = async || {
        desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await["EstimatedCompletion"].clone()
    };
    assert_eq!(estimate().await, Value::Null);
    // One user is listed and half done.
    let claimed = desk.claim().await;
    let mut numbers = claimed[0].user.statistics;
    (numbers.total_items, numbers.synced_items) = (1000, 400);
    (numbers.bytes_transferred, numbers.pass_items, numbers.pass_bytes) = (400_000, 400, 400_000);
    let now = desk.context.now();
    let until = now + 1.hour();
    let beat = Heartbeat { lease: claimed[0].lease, until, statistics: Some(numbers) };
    desk.context.store.jobs().heartbeats(vec![beat]).await.unwrap();
    desk.context.store.jobs().advance(&claimed[0].lease, UserEvent::Validated, now).await.unwrap();
    assert_eq!(estimate().await, Value::Null, "no rate is known");
    let begun = now.as_second() - now.as_second().rem_euclid(60) - 240;
    let work = Work { bytes: 400_000, messages: 400, busy_seconds: 240 };
    let minute = MinuteOfWork { owner: claimed[0].user.batch, begun, work, pending: PendingUsers::default() };
    desk.context.store.throughput().add_work(vec![minute], now).await.unwrap();
    let shown = estimate().await;
    let time = |name: &str| shown[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(now <= time("Low") && time("Low") < time("High"), "{shown}");
    // A filter leaves out an unknown part.
    desk.one("Set-MigrationBatch", json!({ "Identity": "B", "MaxItems": 5 })).await;
    assert_eq!(estimate().await, Value::Null);
}
