//! What needs a server: the tests, and the verification of endpoints.

use std::fs;

use mailhaul_operations::FailureKind::{Invalid, Unavailable};
use mailhaul_testkit::{Certificate, Dovecot, Setup};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::support::{Desk, base64};

fn over_tls(dovecot: &Dovecot, certificate: &Certificate) -> Value {
    let authorities = base64(&fs::read_to_string(certificate.ca_file()).unwrap());
    json!({ "RemoteServer": "localhost", "Port": dovecot.tls_port(), "Security": "Ssl", "CertificateAuthorities": authorities })
}

fn with(mut request: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object is needed") };
    request.as_object_mut().unwrap().extend(more);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_shows_what_it_can_do() {
    let certificate = Certificate::valid();
    let dovecot = Setup::with_users(&["ann"]).start_tls(&certificate);
    let desk = Desk::new().await;
    let server = over_tls(&dovecot, &certificate);
    let shown =
        desk.one("Test-MigrationServerAvailability", with(server.clone(), json!({ "IMAP": true }))).await;
    assert_eq!((&shown["Result"], &shown["IsValid"]), (&json!("Success"), &json!(true)), "{shown}");
    assert!(shown["Greeting"].as_str().unwrap().contains("ready"), "{shown}");
    assert!(shown["Capabilities"].as_array().unwrap().contains(&json!("IMAP4REV1")), "{shown}");
    assert!(shown["ErrorDetail"].is_null() && shown["FolderCount"].is_null());

    let ann = json!({ "Credential": { "UserName": "ann", "Password": Dovecot::password("ann") } });
    let shown = desk.one("Test-MigrationServerAvailability", with(server.clone(), ann)).await;
    assert_eq!(shown["Result"], "Success", "{shown}");
    assert_eq!((&shown["LoggedInAs"], &shown["FolderCount"]), (&json!("ann"), &json!(1)));

    let wrong = json!({ "Credential": { "UserName": "ann", "Password": "hunter2" } });
    let shown = desk.one("Test-MigrationServerAvailability", with(server.clone(), wrong)).await;
    assert_eq!(shown["Result"], "Failed");
    assert!(shown["Message"].as_str().unwrap().contains("refused to sign in"), "{shown}");
    assert!(
        shown["ErrorDetail"].as_str().unwrap().contains("Confirm the user name and the password"),
        "{shown}"
    );
    assert!(!shown.to_string().contains("hunter2"));

    let mut stranger = server;
    stranger.as_object_mut().unwrap().remove("CertificateAuthorities");
    let shown = desk.one("Test-MigrationServerAvailability", stranger).await;
    assert_eq!(shown["Result"], "Failed");
    assert!(shown["ErrorDetail"].as_str().unwrap().contains("SHA-256"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_kept_where_its_server_answers() {
    let certificate = Certificate::valid();
    let dovecot = Setup::with_users(&["ann"]).start_tls(&certificate);
    let desk = Desk::new().await;
    let server = over_tls(&dovecot, &certificate);
    let made = desk.one("New-MigrationEndpoint", with(server, json!({ "Name": "Old" }))).await;
    assert_eq!(made["CertificateAuthorities"], 1);
    for cmdlet in ["Test-MigrationEndpoint", "Test-MigrationServerAvailability"] {
        let name = if cmdlet == "Test-MigrationEndpoint" { "Identity" } else { "Endpoint" };
        let shown = desk.one(cmdlet, json!({ name: "old" })).await;
        assert_eq!(
            (&shown["Result"], &shown["TestedEndpoint"]),
            (&json!("Success"), &json!("Old")),
            "{shown}"
        );
    }
    // A change that cannot work is not made.
    let wrong = json!({ "Identity": "Old", "Port": dovecot.port() });
    desk.refused("Set-MigrationEndpoint", wrong, Unavailable, "-SkipVerification").await;
    assert_eq!(
        desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" })).await["Port"],
        dovecot.tls_port()
    );
    let right = json!({ "Identity": "Old", "Port": dovecot.port(), "Security": "Tls" });
    assert_eq!(desk.one("Set-MigrationEndpoint", right).await["Security"], "Tls");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_opens_a_mailbox() {
    let master = "auth_master_user_separator = *\npassdb {\n driver = passwd-file\n master = yes\n args = %h/masters\n}\n";
    let certificate = Certificate::valid();
    let directory = tempfile::tempdir().unwrap();
    let masters = directory.path().join("masters");
    fs::write(&masters, "mailadmin:{PLAIN}P@ssw0rd\n").unwrap();
    make_readable(directory.path());
    let mut setup = Setup::with_users(&["ann"]);
    setup.extra = master.replace("%h/masters", &masters.display().to_string());
    let dovecot = setup.start_tls(&certificate);
    let desk = Desk::new().await;
    let admin = json!({ "Name": "Old", "Credential": { "UserName": "mailadmin", "Password": "P@ssw0rd" } });
    desk.one("New-MigrationEndpoint", with(over_tls(&dovecot, &certificate), admin)).await;
    // By the SASL authorization identity, then by the form of the login.
    for template in [None, Some("{user}*{admin}")] {
        if template.is_some() {
            let change = json!({ "Identity": "Old", "UserNameTemplate": template });
            desk.one("Set-MigrationEndpoint", change).await;
        }
        let request = json!({ "Identity": "Old", "TestMailbox": "ann" });
        let shown = desk.one("Test-MigrationEndpoint", request).await;
        assert_eq!(shown["Result"], "Success", "{template:?}: {shown}");
        assert_eq!(shown["FolderCount"], 1);
        assert!(!shown.to_string().contains("P@ssw0rd"));
    }
}

fn make_readable(directory: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_a_result_and_no_endpoint() {
    let desk = Desk::new().await;
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let server = json!({ "RemoteServer": "127.0.0.1", "Port": port, "Security": "None" });
    let shown = desk.one("Test-MigrationServerAvailability", server.clone()).await;
    assert_eq!((&shown["Result"], &shown["IsValid"]), (&json!("Failed"), &json!(false)));
    assert!(shown["ErrorDetail"].as_str().unwrap().contains("refused"), "{shown}");
    assert_eq!(shown["Addresses"], json!(["127.0.0.1"]));
    let endpoint = with(server, json!({ "Name": "Old" }));
    desk.refused("New-MigrationEndpoint", endpoint, Unavailable, "could not be connected to").await;
    assert_eq!(desk.call("Get-MigrationEndpoint", json!({})).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_tested_must_be_clear() {
    let desk = Desk::with_endpoint().await;
    for (request, words) in [
        (json!({}), "RemoteServer or Endpoint"),
        (json!({ "Endpoint": "Old", "Port": 1 }), "either Endpoint or Port"),
        (json!({ "Endpoint": "Old", "TestMailbox": "ann" }), "no administrator"),
        (json!({ "Endpoint": "Old", "TestConnections": true }), "TestConnections needs Credential"),
        (json!({ "RemoteServer": "a b" }), "RemoteServer"),
    ] {
        desk.refused("Test-MigrationServerAvailability", request, Invalid, words).await;
    }
    let both = json!({ "Identity": "Old", "TestMailbox": "ann", "Credential": { "UserName": "a", "Password": "b" } });
    desk.refused("Test-MigrationEndpoint", both, Invalid, "not both").await;
}
