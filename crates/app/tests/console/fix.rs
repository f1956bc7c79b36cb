//! Scenario 5: wrong passwords are replaced in the page, one and thirty, while other users go on.

use mailhaul_testkit::Dovecot;
use serde_json::{Map, json};

use crate::{common::assert_same, support::names, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_replaced_and_the_user_syncs() {
    let mut world = World::new(3).await;
    world.batch("Staff", 3);
    let login =
        world.service.write("wrong.csv", "EmailAddress,UserName,Password\nuser2@contoso.edu,user2,wrong\n");
    world.service.expect(&["Set-MigrationUser", "user2@contoso.edu", "-CSVData", &login]);
    let token = world.token("ada", "Operator");
    world.play("fix", &json!({ "token": token, "password": Dovecot::password("user2") }));
    for user in ["user1", "user2", "user3"] {
        assert_same(&world.from, &world.to, user).await;
    }
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let by_page = |operation: &str| {
        log.iter().any(|entry| entry["Caller"] == "ada (console)" && entry["CmdletName"] == operation)
    };
    assert!(by_page("Start-MigrationBatch") && by_page("Set-MigrationUser"), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_of_many_are_pasted_tested_and_synced() {
    let mut world = World::new(33).await;
    world.batch("Staff", 33);
    // 31 passwords are wrong.
    let wrong: Vec<String> = names(31).iter().map(|it| format!("{it}@contoso.edu,{it},wrong\n")).collect();
    let csv = format!("EmailAddress,UserName,Password\n{}", wrong.concat());
    let csv = world.service.write("wrong.csv", &csv);
    world.service.expect(&["Set-MigrationBatch", "Staff", "-AddUsers", "-CSVData", &csv]);
    world.service.expect(&["Start-MigrationBatch", "Staff"]);
    for user in names(31) {
        world.service.wait_for_user(&format!("{user}@contoso.edu"), &["Failed"]);
    }
    let others = ["user32@contoso.edu", "user33@contoso.edu"];
    for user in others {
        world.service.wait_for_user(user, &["Synced"]);
    }
    let token = world.token("ada", "Operator");
    let passwords: Map<_, _> =
        names(31).into_iter().map(|it| (it.clone(), Dovecot::password(&it).into())).collect();
    world.play("fix-many", &json!({ "token": token, "passwords": passwords }));
    for user in names(33) {
        assert_same(&world.from, &world.to, &user).await;
    }
    // Users that synced before were neither stopped nor started by the page.
    let log = world.service.expect(&["Get-MigrationAuditLog", "-ResultSize", "unlimited"]);
    let of_page = |entry: &&serde_json::Value| entry["Caller"] == "ada (console)";
    let objects: Vec<_> =
        log.iter().filter(of_page).map(|it| it["ObjectModified"].as_str().unwrap()).collect();
    assert!(objects.len() >= 60 && !objects.iter().any(|it| others.contains(it)), "{objects:?}");
    assert!(!log.iter().filter(of_page).any(|it| it["CmdletName"] == "Stop-MigrationUser"), "{log:#?}");
}
