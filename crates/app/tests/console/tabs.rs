//! Scenarios 7, 10 and 11, and the reports: the tabs of a batch.

use std::fs;

use mailhaul_testkit::Mailmaker;
use serde_json::json;

use crate::{
    common::{assert_same, contents, give},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_another_administrator_is_shown_with_both_values() {
    let mut world = World::new(1).await;
    world.batch("Staff", 1);
    let (token, other) = (world.token("ada", "Operator"), world.token("grace", "Operator"));
    world.play("conflict", &json!({ "token": token, "other": other }));
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_tabs_share_one_stream_of_events() {
    let mut world = World::new(1).await;
    world.batch("Staff", 1);
    let token = world.token("ada", "Operator");
    world.play("many-tabs", &json!({ "token": token }));
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_planned_previewed_and_copied_as_planned() {
    let mut world = World::new(1).await;
    for (seed, folder) in (20..).zip(["Projects", "Old projects", "Drafts of 2009"]) {
        give(&world.from, "user1", folder, &[900; 3], seed).await;
    }
    world.batch("Staff", 1);
    let token = world.token("ada", "Operator");
    world.play("folders", &json!({ "token": token }));
    let (from, to) = (contents(world.from.port(), "user1").await, contents(world.to.port(), "user1").await);
    assert_eq!(from["Projects"], to["Projects"]);
    assert_eq!(from["Old projects"], to["Archive/Old"]);
    assert!(!to.contains_key("Drafts of 2009") && !to.contains_key("Old projects"), "{:?}", to.keys());
}

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
    let token = world.token("ada", "Admin");
    let message = world.service.directory.path().join("message.eml");
    fs::write(&message, Mailmaker::new(7).item(60_000).0).unwrap();
    world.play("reports", &json!({ "token": token, "message": message }));
    assert_same(&world.from, &world.to, "user3").await;
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let by_page = |operation: &str| {
        log.iter().any(|entry| entry["Caller"] == "ada (console)" && entry["CmdletName"] == operation)
    };
    let is_named = ["Set-MigrationUser", "Set-MigrationBatch", "SaveSkippedMessage"].into_iter().all(by_page);
    assert!(is_named, "{log:#?}");
}
