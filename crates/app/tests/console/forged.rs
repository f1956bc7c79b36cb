//! Scenario 14: requests that other pages and programs forge.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_request_is_refused_and_not_carried_out() {
    let mut world = World::new(1).await;
    world.batch("Staff", 1);
    let token = world.token("ada", "Operator");
    world.play("forged", &json!({ "token": token }));
    assert_eq!(world.service.batch("Staff")["Status"], "Created");
}
