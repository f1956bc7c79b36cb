//! Scenario 6: the service is killed while pages watch.

use serde_json::json;

use crate::{common::assert_same, support::names, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_is_shown_as_away_and_the_page_goes_on() {
    let mut world = World::new(20).await;
    world.batch("Staff", 20);
    let token = world.token("ada", "Operator");
    world.play("restart", &json!({ "token": token }));
    for user in names(20) {
        assert_same(&world.from, &world.to, &user).await;
    }
}
