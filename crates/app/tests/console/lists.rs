//! The users of the service, the tokens, the settings, and the keys of lists.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn users_of_all_batches_are_listed_exported_and_changed_together() {
    let mut world = World::new(10).await;
    world.batch("Other", 10);
    let mut csv = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n".to_owned();
    for number in 0..120 {
        csv.push_str(&format!("person{number}@contoso.edu,person{number},hidden-secret,person{number},x\n"));
    }
    let csv = world.service.write("large.csv", &csv);
    let new = ["New-MigrationBatch", "-Name", "Large", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    world.service.expect(&[&new[..], &["-CSVData", &csv]].concat());
    let token = world.token("ada", "Operator");
    world.play("users", &json!({ "token": token }));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_shown_once_and_revoked() {
    let mut world = World::new(1).await;
    world.batch("Staff", 1);
    let token = world.token("ada", "Admin");
    world.play("tokens", &json!({ "token": token }));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_used_by_keys_alone() {
    let mut world = World::new(3).await;
    world.batch("Staff", 3);
    let token = world.token("ada", "Operator");
    world.play("keys", &json!({ "token": token }));
}
