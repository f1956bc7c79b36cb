//! Scenario 2: from an empty service to synced mailboxes, from the page alone.

use mailhaul_testkit::Dovecot;
use serde_json::json;

use crate::{common::assert_same, support::names, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_batch_is_made_and_synced_from_the_page_alone() {
    let mut world = World::without_endpoints(3).await;
    let token = world.token("ada", "Admin");
    let passwords: Vec<String> = names(3).iter().map(|it| Dovecot::password(it)).collect();
    let facts = json!({
        "token": token,
        "source": world.from.port(),
        "target": world.to.port(),
        "users": names(3),
        "passwords": passwords,
    });
    world.play("first-run", &facts);
    for user in names(3) {
        assert_same(&world.from, &world.to, &user).await;
    }
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let by_page = |operation: &str| {
        log.iter().any(|entry| entry["Caller"] == "ada (console)" && entry["CmdletName"] == operation)
    };
    assert!(by_page("New-MigrationEndpoint") && by_page("New-MigrationBatch"), "{log:#?}");
    assert!(!log.iter().any(|entry| passwords.iter().any(|it| entry.to_string().contains(it))), "{log:#?}");
}
