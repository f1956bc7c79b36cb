//! Forms of an administrator's login on each kind of server, as the server test finds them.

use std::{
    fs,
    process::{Command, Stdio},
};

use mailhaul_testkit::{CourierSetup, CyrusSetup, Mailmaker, Shape, connect, fill};
use serde_json::Value;

use crate::common::ran;

const USERS: [&str; 2] = ["terry.adams", "ann.beebe"];
const PASSWORD: &str = "admin-hunter2";

/// Returns the result of Test-MigrationServerAvailability for terry's mailbox with three messages.
async fn tested(shape: Shape) -> Value {
    let server = shape.start();
    let mut session = connect(server.port(), USERS[0], "secret-terry.adams").await;
    let mut maker = Mailmaker::new(7);
    fill(&mut session, "INBOX", vec![maker.item(900), maker.item(900), maker.item(900)]).await;
    session.logout().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let password = directory.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhaul"));
    command.env("MAILHAUL_RESOLVERS", "none");
    command.env("MAILHAUL_DATA", directory.path().join("data")).stdin(Stdio::null());
    command.args(["Test-MigrationServerAvailability", "-RemoteServer", "127.0.0.1", "-Security", "None"]);
    command.args(["-Port", &server.port().to_string(), "-TestMailbox", USERS[0], "-Credential", "mailadmin"]);
    command.arg("-CredentialPasswordFile").arg(&password).args(["-Output", "json"]);
    let shown = ran(&mut command);
    shown.assert(0);
    assert!(!shown.stdout.contains(PASSWORD));
    let mut results: Vec<Value> = serde_json::from_str(&shown.stdout).unwrap();
    results.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_takes_the_authorization_identity() {
    let cyrus = CyrusSetup::with_users(&USERS).with_administrator("mailadmin", PASSWORD);
    let shown = tested(Shape::Cyrus(cyrus)).await;
    assert_eq!(
        (&shown["Result"], &shown["AdminForm"]),
        (&"Success".into(), &"SASL authorization identity".into()),
        "{shown:#}"
    );
    assert_eq!(
        (&shown["LoggedInAs"], &shown["MessageCount"]),
        (&"terry.adams".into(), &3.into()),
        "{shown:#}"
    );
    assert_eq!(shown["ServerProfile"], "Cyrus", "{shown:#}");
    let lines = shown["Instructions"].as_array().unwrap();
    assert!(lines.contains(&"  <e-mail address>,terry.adams".into()), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn courier_shows_the_mailbox_as_a_user_root() {
    let courier = CourierSetup::with_users(&USERS).with_administrator("mailadmin", PASSWORD);
    let shown = tested(Shape::Courier(courier)).await;
    assert_eq!((&shown["Result"], &shown["AdminForm"]), (&"Success".into(), &"UserRoot".into()), "{shown:#}");
    assert_eq!(
        (&shown["UserRoot"], &shown["MessageCount"]),
        (&"/users/terry.adams".into(), &3.into()),
        "{shown:#}"
    );
    let steps = shown["Steps"].as_array().unwrap();
    let inbox = steps.iter().find(|it| it["Step"] == "INBOX").unwrap()["Detail"].as_str().unwrap();
    assert!(inbox.starts_with("/users/terry.adams is #shared.users.terry adams here"), "{inbox}");
    let lines = shown["Instructions"].as_array().unwrap();
    assert!(
        lines.contains(&"  <e-mail address>,mailadmin,<password>,/users/terry.adams".into()),
        "{lines:#?}"
    );
}
