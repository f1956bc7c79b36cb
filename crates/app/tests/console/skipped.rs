//! A part of scenario 11: skipped messages are shown and approved.

use serde_json::json;

use crate::{common::give, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_message_is_shown_with_its_reason_and_approved() {
    let mut world = World::new(1).await;
    give(&world.from, "user1", "Large", &[60_000], 7).await;
    world.batch("Staff", 1);
    world.service.expect(&["Set-MigrationBatch", "Staff", "-MaxMessageSize", "30000"]);
    world.service.expect(&["Start-MigrationBatch", "Staff"]);
    world.service.wait_for("Staff", &["Synced"]);
    let token = world.token("ada", "Operator");
    world.play("skipped", &json!({ "token": token }));
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let approved = |entry: &serde_json::Value| {
        entry["Caller"] == "ada (console)" && entry["CmdletName"] == "Set-MigrationUser"
    };
    assert!(log.iter().any(approved), "{log:#?}");
}
