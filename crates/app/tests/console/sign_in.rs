//! Scenarios 1 and 17: the ways in and out, and files from the service alone.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_console_opens_with_a_token_or_a_ticket_and_closes() {
    let mut world = World::new(1).await;
    world.batch("Staff", 1);
    let token = world.token("ada", "Operator");
    world.play("sign-in", &json!({ "token": token }));
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    let has = |caller: &str, operation: &str| {
        log.iter().any(|entry| entry["Caller"] == caller && entry["CmdletName"] == operation)
    };
    assert!(has("ada (console)", "SignIn") && has("ada (console)", "SignOut"), "{log:#?}");
    assert!(has("127.0.0.1", "SignIn"), "{log:#?}");
    assert!(!log.iter().any(|entry| entry.to_string().contains("mh_")), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_comes_from_the_service() {
    let mut world = World::new(2).await;
    world.batch("Staff", 2);
    let token = world.token("ada", "Operator");
    world.play("files", &json!({ "token": token }));
}

#[test]
fn a_service_that_does_not_listen_says_how_to_start_it() {
    let mut service = crate::support::Service::idle();
    let refused = service.ask(&["console"]);
    assert_eq!(refused.code, Some(6), "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("mailhaul serve --listen"), "{}", refused.stderr);
    service.run();
    let refused = service.ask(&["console"]);
    assert_eq!(refused.code, Some(4), "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("mailhaul serve --listen"), "{}", refused.stderr);
}
