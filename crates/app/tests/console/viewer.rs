//! Scenario 8: a caller who may only read.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_every_page_and_changes_nothing() {
    let mut world = World::new(2).await;
    world.batch("Staff", 2);
    let token = world.token("vera", "Viewer");
    world.play("viewer", &json!({ "token": token }));
    assert_eq!(world.service.batch("Staff")["Status"], "Created");
}
