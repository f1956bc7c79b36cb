//! Use of endpoints.

use mailhaul_engine::{Clock as _, Usage};
use mailhaul_store::CountedMailbox;
use serde_json::{Value, json};

use super::support::Desk;
use crate::{one_pass::SystemClock, serve::sampler};

#[tokio::test]
async fn an_endpoint_shows_its_rate_its_day_and_who_waits() {
    let desk = Desk::with_endpoint().await;
    let shown = desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" })).await;
    assert_eq!((&shown["CurrentBytesPerSecond"], &shown["PendingCount"]), (&json!(0), &json!(0)));
    assert_eq!(shown["SupportedActions"], json!(["Set", "Test", "Remove"]));
    desk.batch("B", &["a", "b"], json!({ "AutoStart": true })).await;
    desk.batch("Later", &["c"], json!({})).await;
    let endpoint = desk.context.store.endpoints().get("Old").await.unwrap();
    let mailbox = CountedMailbox { endpoint: endpoint.guid, name: "a".to_owned(), node: None };
    let hour = Usage::hour(SystemClock.now());
    let hours = vec![(hour, 700), (hour - 30, 1)];
    desk.context.store.jobs().add_usage(mailbox, hours, hour - 40).await.unwrap();
    let user = desk.context.store.users().get("a@example.org", None).await.unwrap();
    let worker = desk.worker(&user).await;
    worker.has_copied(50, 50_000);
    // The rate is that of whole seconds before this one.
    let second = sampler::look(&desk.context);
    while desk.context.now().as_second() == second {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let shown = desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" })).await;
    assert_eq!(
        (&shown["CurrentBytesPerSecond"], &shown["CurrentMessagesPerSecond"]),
        (&json!(5000), &json!(5)),
        "{shown:#}"
    );
    assert_eq!(shown["BytesLastDay"], 700);
    assert_eq!((&shown["PendingCount"], &shown["PendingBatches"]), (&json!(2), &json!(["B"])));
    assert_eq!(shown["SupportedActions"], json!(["Set", "Test"]), "a batch needs it");
    assert_eq!(shown["LearnedMaxConcurrentMigrations"], Value::Null);
    // What a refusal taught.
    let now = desk.context.now();
    desk.context.limits.refresh(&endpoint, Usage::default(), SystemClock.now());
    desk.context.limits.learn(endpoint.guid, |cap| cap.mailbox_refused(5, now));
    let shown = desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" })).await;
    assert_eq!(
        (&shown["LearnedMaxConcurrentMigrations"], &shown["LearnedMaxConnectionsPerMailbox"]),
        (&json!(4), &json!(1))
    );
}
