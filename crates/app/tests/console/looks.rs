//! Scenario 16: small screens, large text, languages, dark, forced colours, paper.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_every_screen_language_and_colour() {
    let mut world = World::new(8).await;
    world.batch("Staff", 8);
    // The password of one user is wrong.
    let login =
        world.service.write("wrong.csv", "EmailAddress,UserName,Password\nuser2@contoso.edu,user2,wrong\n");
    world.service.expect(&["Set-MigrationUser", "user2@contoso.edu", "-CSVData", &login]);
    world.service.expect(&["Start-MigrationBatch", "Staff"]);
    world.service.wait_for_user("user2@contoso.edu", &["Failed"]);
    let token = world.token("ada", "Operator");
    world.play("looks", &json!({ "token": token }));
}
