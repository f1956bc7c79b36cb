//! A part of scenario 11, and the reports: the tabs of a batch.

use serde_json::json;

use crate::{
    common::{assert_same, give},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn skipped_messages_are_approved_and_reports_are_downloaded() {
    let mut world = World::new(3).await;
    for (seed, user) in (7..).zip(["user1", "user2"]) {
        give(&world.from, user, "Large", &[60_000], seed).await;
    }
    world.batch("Staff", 3);
    world.service.expect(&["Set-MigrationBatch", "Staff", "-MaxMessageSize", "30000"]);
    world.service.expect(&["Start-MigrationBatch", "Staff"]);
    world.service.wait_for("Staff", &["Synced"]);
    let token = world.token("ada", "Operator");
    world.play("reports", &json!({ "token": token }));
    assert_same(&world.from, &world.to, "user3").await;
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let by_page = |operation: &str| {
        log.iter().any(|entry| entry["Caller"] == "ada (console)" && entry["CmdletName"] == operation)
    };
    assert!(by_page("Set-MigrationUser") && by_page("Set-MigrationBatch"), "{log:#?}");
}
