//! Get-MigrationThroughput.

use mailhaul_operations::FailureKind::{Invalid, NotFound};
use mailhaul_store::{MinuteOfWork, PendingUsers, Work};
use serde_json::{Value, json};

use super::support::Desk;
use crate::serve::sampler;

/// The only row with work.
async fn row(desk: &Desk, request: Value) -> Value {
    desk.one("Get-MigrationThroughput", request).await
}

#[tokio::test]
async fn running_passes_are_seen_by_the_second_and_minute() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b"], json!({ "AutoStart": true })).await;
    let none = desk.call("Get-MigrationThroughput", json!({ "Identity": "B" })).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
    let user = desk.context.store.users().get("a@example.org", None).await.unwrap();
    let worker = desk.worker(&user).await;
    worker.has_copied(3, 5000);
    sampler::look(&desk.context);
    for identity in ["b", "Old"] {
        // A look that met the turn of a second or minute is one row all the same.
        for step in ["00:00:01", "00:01:00", "00:15:00"] {
            let shown = row(&desk, json!({ "Identity": identity, "Step": step })).await;
            assert_eq!((&shown["BytesTransferred"], &shown["CopiedCount"]), (&json!(5000), &json!(3)));
            assert_eq!((&shown["Duration"], &shown["PendingCount"]), (&json!(step), &Value::Null), "{shown}");
        }
    }
    // The end of the process saves it, with the users that wait.
    worker.has_copied(1, 50);
    desk.context.workers.ended(user.guid);
    sampler::finish(&desk.context).await;
    assert!(desk.context.throughput.unsaved(user.batch).is_empty());
    let shown = row(&desk, json!({ "Identity": "B", "Step": "1.00:00:00" })).await;
    assert_eq!((&shown["BytesTransferred"], &shown["CopiedCount"]), (&json!(5050), &json!(4)), "{shown}");
    assert_eq!((&shown["PendingCount"], &shown["FailedCount"]), (&json!(2), &json!(0)), "{shown}");
}

#[tokio::test]
async fn a_series_has_the_given_times() {
    let desk = Desk::with_endpoint().await;
    let endpoint = desk.context.store.endpoints().get("Old").await.unwrap().guid;
    let now = desk.context.now();
    let begun = now.as_second() - now.as_second().rem_euclid(3600) - 2 * 3600;
    let minute = |begun, bytes| MinuteOfWork {
        owner: endpoint,
        begun,
        work: Work { bytes, messages: 1, busy_seconds: 90 },
        pending: PendingUsers { waiting: bytes, failed: 0 },
    };
    let minutes = vec![minute(begun, 1), minute(begun + 60, 2), minute(begun + 3600, 4)];
    desk.context.store.throughput().add_work(minutes, now).await.unwrap();
    let time = |second: i64| jiff::Timestamp::from_second(second).unwrap().to_string();
    let request = json!({
        "Identity": "Old", "From": time(begun), "To": time(begun + 3600), "Step": "01:00:00"
    });
    let shown = row(&desk, request).await;
    assert_eq!(shown["StartTime"], time(begun), "{shown}");
    assert_eq!(
        (&shown["BytesTransferred"], &shown["PendingCount"], &shown["ActiveCount"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let request = json!({ "Identity": endpoint.to_string(), "From": time(begun) });
    assert_eq!(desk.call("Get-MigrationThroughput", request).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_series_needs_one_owner_and_times_that_are_kept() {
    let desk = Desk::with_endpoint().await;
    desk.batch("Old", &["a"], json!({})).await;
    desk.batch("B", &["b"], json!({})).await;
    for (request, kind, words) in [
        (
            json!({ "Identity": "Gone" }),
            NotFound,
            "the migration batch or endpoint \"Gone\" could not be found",
        ),
        (json!({ "Identity": "old" }), Invalid, "a batch and an endpoint have the name"),
        (
            json!({ "Identity": "B", "From": "2026-01-02", "To": "2026-01-01" }),
            Invalid,
            "From must be before To",
        ),
        (json!({ "Identity": "B", "Step": "00:01:01" }), Invalid, "whole minutes"),
        (json!({ "Identity": "B", "From": "2020-01-01", "Step": "00:00:01" }), Invalid, "the last 00:10:00"),
    ] {
        desk.refused("Get-MigrationThroughput", request, kind, words).await;
    }
}
