//! Scenario 3: a file with mistakes.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_a_file_is_shown_and_fixed_in_its_place() {
    let mut world = World::new(1).await;
    world.batch("Pilot", 1);
    let token = world.token("ada", "Operator");
    world.play("mistakes", &json!({ "token": token }));
    let batch = world.service.batch("Mistakes");
    assert_eq!((&batch["Status"], &batch["SourceEndpoint"]), (&json!("Created"), &json!("Old")));
}
