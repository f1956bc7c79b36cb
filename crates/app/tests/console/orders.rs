//! Scenario 12: orders that ask once, and times of another zone.

use serde_json::json;

use crate::{common::assert_same, support::names, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn orders_ask_once_and_removal_asks_for_the_name() {
    let mut world = World::new(3).await;
    world.batch("Staff", 3);
    let token = world.token("ada", "Operator");
    world.play("orders", &json!({ "token": token }));
    for user in names(3) {
        assert_same(&world.from, &world.to, &user).await;
    }
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let by_page = |operation: &str| {
        log.iter().any(|entry| entry["Caller"] == "ada (console)" && entry["CmdletName"] == operation)
    };
    for operation in ["Stop-MigrationBatch", "Complete-MigrationBatch", "Remove-MigrationBatch"] {
        assert!(by_page(operation), "{operation}: {log:#?}");
    }
}
