//! A part of scenario 5: a wrong password is replaced in the page, while other users go on.

use serde_json::json;

use crate::{common::assert_same, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_replaced_and_the_user_syncs() {
    let mut world = World::new(3).await;
    world.batch("Staff", 3);
    let login =
        world.service.write("wrong.csv", "EmailAddress,UserName,Password\nuser2@contoso.edu,user2,wrong\n");
    world.service.expect(&["Set-MigrationUser", "user2@contoso.edu", "-CSVData", &login]);
    let token = world.token("ada", "Operator");
    world.play("fix", &json!({ "token": token, "password": mailhaul_testkit::Dovecot::password("user2") }));
    for user in ["user1", "user2", "user3"] {
        assert_same(&world.from, &world.to, user).await;
    }
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let by_page = |operation: &str| {
        log.iter().any(|entry| entry["Caller"] == "ada (console)" && entry["CmdletName"] == operation)
    };
    assert!(by_page("Start-MigrationBatch") && by_page("Set-MigrationUser"), "{log:#?}");
}
