//! Tests that need a server: server tests, and the verification of endpoints.

use std::fs;

use mailhaul_operations::FailureKind::{Invalid, Unavailable};
use mailhaul_testkit::{Certificate, Dovecot, Mailmaker, Setup, connect, fill};
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
    assert!(shown["Message"].as_str().unwrap().contains("refused the sign-in"), "{shown}");
    assert!(
        shown["ErrorDetail"].as_str().unwrap().contains("Check the user name and the password"),
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
    // A change that cannot work is refused.
    let wrong = json!({ "Identity": "Old", "Port": dovecot.port() });
    desk.refused("Set-MigrationEndpoint", wrong, Unavailable, "-SkipVerification").await;
    assert_eq!(
        desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" })).await["Port"],
        dovecot.tls_port()
    );
    let right = json!({ "Identity": "Old", "Port": dovecot.port(), "Security": "Tls" });
    assert_eq!(desk.one("Set-MigrationEndpoint", right).await["Security"], "Tls");
}

/// Result and detail of the step with this name.
#[track_caller]
fn step<'a>(shown: &'a Value, name: &str) -> (&'a str, &'a str) {
    let step = shown["Steps"].as_array().unwrap().iter().find(|it| it["Step"] == name);
    let step = step.unwrap_or_else(|| panic!("no step {name}: {shown:#}"));
    (step["Result"].as_str().unwrap(), step["Detail"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_shown_and_refused_in_words() {
    let desk = Desk::new().await;
    for (certificate, words, advice) in [
        (Certificate::expired(), "it has expired", "Renew the server's certificate"),
        (
            Certificate::of_another(),
            "it is for another name: other.example.org",
            "-RemoteServer to a name in the certificate",
        ),
    ] {
        let dovecot = Setup::with_users(&["ann"]).start_tls(&certificate);
        for security in ["Ssl", "Tls"] {
            let mut server = over_tls(&dovecot, &certificate);
            if security == "Tls" {
                server = with(server, json!({ "Security": "Tls", "Port": dovecot.port() }));
            }
            let shown = desk.one("Test-MigrationServerAvailability", server.clone()).await;
            let (result, detail) = step(&shown, "Certificate");
            assert_eq!((&shown["Result"], result), (&json!("Failed"), "Failed"), "{shown:#}");
            assert!(detail.contains(words) && detail.contains(certificate.sha256()), "{detail}");
            let told = shown["ErrorDetail"].as_str().unwrap();
            let pin = format!("-CertificateSha256 {} trusts exactly this certificate", certificate.sha256());
            assert!(told.contains(advice) && told.contains(&pin), "{told}");
            assert_eq!(shown["Certificates"][0]["Issuer"], "mailhaul test authority");

            // The advice works, and the faults of the certificate are still shown.
            let pinned = with(server, json!({ "CertificateSha256": certificate.sha256() }));
            let shown = desk.one("Test-MigrationServerAvailability", pinned).await;
            let (result, detail) = step(&shown, "Certificate");
            assert_eq!((&shown["Result"], result), (&json!("Success"), "Warning"), "{shown:#}");
            assert!(
                detail.contains("it has expired") || detail.contains("it is not valid for localhost"),
                "{detail}"
            );
        }
    }
    let certificate = Certificate::valid();
    let dovecot = Setup::with_users(&["ann"]).start_tls(&certificate);
    let shown = desk.one("Test-MigrationServerAvailability", over_tls(&dovecot, &certificate)).await;
    let steps: Vec<&str> =
        shown["Steps"].as_array().unwrap().iter().map(|it| it["Step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["DNS", "TCP", "TLS", "Certificate", "Greeting", "Capabilities"]);
    assert!(step(&shown, "TLS").1.starts_with("TLS 1.3, TLS"), "{shown:#}");
    assert!(
        step(&shown, "Certificate")
            .1
            .starts_with("localhost, issued by mailhaul test authority, for localhost, 127.0.0.1")
    );
    let own = &shown["Certificates"][0];
    assert_eq!(
        (&own["Sha256"], &shown["CertificateNamesHost"]),
        (&json!(certificate.sha256()), &json!(true))
    );
    assert!(
        own["DaysLeft"].as_i64().unwrap() > 1000 && own["ValidTo"].as_str().unwrap().ends_with('Z'),
        "{own}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_looked_into_and_read() {
    let setup = Setup { quota: Some("7M".to_owned()), ..Setup::with_users(&["ann", "paul"]) };
    let limit = "protocol imap {\n mail_max_userip_connections = 3\n}\n".to_owned();
    let dovecot = Setup { extra: limit, ..setup }.start();
    let mut session = connect(dovecot.port(), "ann", &Dovecot::password("ann")).await;
    let mut maker = Mailmaker::new(1);
    let messages: Vec<_> = (0..30).map(|_| maker.item(2_000)).collect();
    fill(&mut session, "INBOX", vec![maker.item(500)]).await;
    fill(&mut session, "Sent", messages).await;
    session.logout().await.unwrap();

    let desk = Desk::new().await;
    let server = json!({ "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None" });
    let login =
        |user: &str| json!({ "Credential": { "UserName": user, "Password": Dovecot::password(user) } });
    let shown = desk.one("Test-MigrationServerAvailability", with(server.clone(), login("ann"))).await;
    assert_eq!(shown["Result"], "Success", "{shown:#}");
    assert_eq!((&shown["FolderCount"], &shown["MessageCount"]), (&json!(2), &json!(31)));
    assert_eq!(
        (&shown["Quotas"][0]["Resource"], &shown["Quotas"][0]["Limit"]),
        (&json!("STORAGE"), &json!(7 * 1024))
    );
    assert_eq!((&shown["ServerId"]["name"], &shown["ServerProfile"]), (&json!("Dovecot"), &json!("Dovecot")));
    assert_eq!(shown["Namespaces"], json!(["Personal \"\", separator /"]));
    // The duration depends on the machine: a fast one rounds it to 0.
    assert!(shown["RoundTripMilliseconds"].is_number(), "{shown:#}");
    let rate = &shown["ReadRate"];
    assert_eq!((&rate["Folder"], &rate["Messages"]), (&json!("Sent"), &json!(30)), "{rate}");
    assert!(rate["Bytes"].as_u64().unwrap() >= 60_000, "{rate}");
    assert!(
        shown["Capabilities"].as_array().unwrap().len()
            > shown["CapabilitiesBeforeLogin"].as_array().unwrap().len()
    );
    assert_eq!(step(&shown, "Sign in"), ("Success", "ann, by CRAM-MD5"));
    assert_eq!((&shown["SignInAttempts"], &shown["Connections"]), (&json!(1), &Value::Null));

    // An empty mailbox, and as many connections as it may have.
    let more = with(login("paul"), json!({ "TestConnections": true }));
    let shown = desk.one("Test-MigrationServerAvailability", with(server, more)).await;
    assert_eq!((&shown["Result"], &shown["MessageCount"]), (&json!("Success"), &json!(0)), "{shown:#}");
    assert_eq!(step(&shown, "Read rate"), ("Skipped", "there is nothing to read"));
    let connections = &shown["Connections"];
    assert_eq!((&connections["Accepted"], &connections["Tried"]), (&json!(3), &json!(16)), "{shown:#}");
    assert!(
        connections["Refusal"].as_str().unwrap().contains("Maximum number of connections"),
        "{connections}"
    );
}

/// Server whose administrator uses this separator alone, or the authorization identity if `None`.
fn by_separator(separator: Option<char>) -> Setup {
    let separator =
        separator.map(|it| format!("auth_master_user_separator = \"{it}\"\n")).unwrap_or_default();
    let extra = format!(
        "{separator}auth_mechanisms = plain login\nauth_username_chars = \"abcdefghijklmnopqrstuvwxyz0123456789.-_@*%+:\"\n\
         passdb {{\n driver = static\n master = yes\n args = password=admin-hunter2\n result_success = continue\n}}\n"
    );
    Setup { extra, ..Setup::with_users(&["ann"]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_found_by_which_an_administrator_opens_a_mailbox() {
    let all = || Setup::with_users(&["ann"]).with_administrator("mailadmin", "admin-hunter2");
    // A server without master users, with the login answers of another server.
    let without_master = || {
        let setup = all();
        let extra =
            setup.extra.replace(" master = yes\n", " deny = no\n").replace("{home}/masters", "/dev/null");
        Setup { extra, ..setup }
    };
    let mirapoint = || {
        let setup = without_master();
        Setup { extra: format!("{}login_greeting = Mirapoint IMAP4 server ready\n", setup.extra), ..setup }
    };
    let desk = Desk::new().await;
    for (setup, mailbox, form, line) in [
        (
            mirapoint(),
            "ann@contoso.edu",
            "#{user}#{admin}#",
            "ann@contoso.edu,#ann@contoso.edu#mailadmin#,<password>",
        ),
        (all(), "ann", "{user}*{admin}", "<e-mail address>,ann*mailadmin,<password>"),
        (by_separator(None), "ann", "SASL authorization identity", "<e-mail address>,ann"),
        (by_separator(Some('+')), "ann", "SASL authorization identity", "<e-mail address>,ann"),
        (
            without_master(),
            "ann@contoso.edu",
            "contoso/{admin}/{user}",
            "ann@contoso.edu,contoso/mailadmin/ann,<password>",
        ),
    ] {
        let dovecot = setup.start();
        let server = json!({ "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None" });
        let login = json!({
            "Credential": { "UserName": "mailadmin", "Password": "admin-hunter2" }, "TestMailbox": mailbox,
        });
        let shown = desk.one("Test-MigrationServerAvailability", with(server, login)).await;
        assert_eq!(shown["Result"], "Success", "{form}: {shown:#}");
        assert_eq!(shown["AdminForm"], form, "{shown:#}");
        assert_eq!(step(&shown, &format!("Form {form}")).0, "Success");
        let lines = shown["Instructions"].as_array().unwrap();
        assert!(lines.contains(&json!(format!("  {line}"))), "{lines:#?}");
        assert!(
            lines.iter().any(|it| it.as_str().unwrap().contains("New-MigrationEndpoint -IMAP")),
            "{lines:#?}"
        );
        assert!(!shown.to_string().contains("hunter2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_with_the_wrong_form_gets_the_right_one() {
    let dovecot = Setup::with_users(&["ann"]).with_administrator("mailadmin", "admin-hunter2").start();
    let desk = Desk::new().await;
    let endpoint = json!({
        "Name": "Old mail", "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None",
        "Credential": { "UserName": "mailadmin", "Password": "admin-hunter2" }, "UserNameTemplate": "{user}%{admin}",
    });
    desk.one("New-MigrationEndpoint", endpoint).await;
    let request = json!({ "Endpoint": "Old mail", "TestMailbox": "ann" });
    let shown = desk.one("Test-MigrationServerAvailability", request.clone()).await;
    assert_eq!(
        (&shown["Result"], &shown["AdminForm"]),
        (&json!("Success"), &json!("{user}*{admin}")),
        "{shown:#}"
    );
    assert_eq!((step(&shown, "Form {user}%{admin}").0, &shown["SignInAttempts"]), ("Refused", &json!(3)));
    let command =
        "  Set-MigrationEndpoint 'Old mail' -Credential mailadmin -UserNameTemplate '{user}*{admin}'";
    assert!(shown["Instructions"].as_array().unwrap().contains(&json!(command)), "{shown:#}");

    // The suggested command works; the test then tries only this form.
    desk.one(
        "Set-MigrationEndpoint",
        json!({ "Identity": "Old mail", "UserNameTemplate": "{user}*{admin}" }),
    )
    .await;
    let shown = desk.one("Test-MigrationServerAvailability", request).await;
    assert_eq!((&shown["Result"], &shown["SignInAttempts"]), (&json!("Success"), &json!(1)), "{shown:#}");
    // PROXYAUTH is a form like the others; this server does not know it.
    let proxy = json!({ "Identity": "Old mail", "UserNameTemplate": "ProxyAuth" });
    assert_eq!(desk.one("Set-MigrationEndpoint", proxy).await["UserNameTemplate"], "PROXYAUTH");
    let shown =
        desk.one("Test-MigrationEndpoint", json!({ "Identity": "Old mail", "TestMailbox": "ann" })).await;
    assert_eq!((&shown["Result"], step(&shown, "Sign in").0), (&json!("Failed"), "Failed"), "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_without_rights_to_the_mailbox_has_advice() {
    let setup = Setup::with_users(&["ann"]).with_administrator("mailadmin", "admin-hunter2");
    let dovecot = setup.with_acl_trap().start();
    let desk = Desk::new().await;
    let server = json!({ "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None" });
    let admin = json!({ "Credential": { "UserName": "mailadmin", "Password": "admin-hunter2" } });
    let login = with(admin.clone(), json!({ "TestMailbox": "ann" }));
    let shown = desk.one("Test-MigrationServerAvailability", with(server.clone(), login)).await;
    assert_eq!(shown["Result"], "Failed", "{shown:#}");
    assert_eq!(
        shown["Message"],
        "the server 127.0.0.1 accepts the login of ann*mailadmin but does not open the mailbox"
    );
    assert!(shown["ErrorDetail"].as_str().unwrap().contains("acl_user = %u"), "{shown:#}");
    assert_eq!(step(&shown, "Form {user}*{admin}").0, "Failed");
    assert_eq!(step(&shown, "Form SASL authorization identity").0, "Failed");
    assert_eq!(step(&shown, "Form PROXYAUTH").0, "Skipped");

    // The quick test of an endpoint finds it too.
    let endpoint = json!({ "Name": "Old", "UserNameTemplate": "{user}*{admin}" });
    desk.one("New-MigrationEndpoint", with(with(server, admin), endpoint)).await;
    let shown = desk.one("Test-MigrationEndpoint", json!({ "Identity": "Old", "TestMailbox": "ann" })).await;
    assert_eq!(shown["Result"], "Failed", "{shown:#}");
    let (result, detail) = step(&shown, "INBOX");
    assert!(result == "Failed" && detail.contains("acl_user = %u"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_administrator_password_costs_one_attempt_per_form() {
    let setup = Setup::with_users(&["ann"]).with_administrator("mailadmin", "admin-hunter2");
    let dovecot = setup.start();
    let desk = Desk::new().await;
    let shown = desk
        .one(
            "Test-MigrationServerAvailability",
            json!({
                "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None", "TestMailbox": "ann",
                "Credential": { "UserName": "mailadmin", "Password": "wrong-hunter2" },
            }),
        )
        .await;
    assert_eq!(shown["Result"], "Failed", "{shown:#}");
    // The administrator alone, the authorization identity, and four separators.
    assert_eq!(shown["SignInAttempts"], 6, "{shown:#}");
    assert!(shown["Message"].as_str().unwrap().contains("in every form that was tried"), "{shown:#}");
    assert_eq!(shown["Instructions"], json!([]));
    assert!(step(&shown, "Other forms").1.contains("-TestMailbox as user@domain"));
    assert!(!shown.to_string().contains("hunter2"));
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
    // The port was just released, so no server listens on it.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let server = json!({ "RemoteServer": "127.0.0.1", "Port": port, "Security": "None" });
    let shown = desk.one("Test-MigrationServerAvailability", server.clone()).await;
    assert_eq!((&shown["Result"], &shown["IsValid"]), (&json!("Failed"), &json!(false)));
    assert!(shown["ErrorDetail"].as_str().unwrap().contains("refused"), "{shown}");
    assert_eq!(shown["Addresses"], json!(["127.0.0.1"]));
    let endpoint = with(server, json!({ "Name": "Old" }));
    desk.refused("New-MigrationEndpoint", endpoint, Unavailable, "no connection to the server").await;
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

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_told_while_the_test_runs() {
    let desk = Desk::new().await;
    // A server that says nothing until a step is told, and then hangs up.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = std::sync::Arc::new(tokio::sync::Notify::new());
    let server = tokio::spawn({
        let told = told.clone();
        async move {
            let (_silent, _) = listener.accept().await.unwrap();
            told.notified().await;
        }
    });
    let request = json!({ "RemoteServer": "127.0.0.1", "Port": port, "Security": "None" });
    let mut steps = Vec::new();
    let on_step = |step: &Value| {
        if step["Step"] == "TCP" {
            told.notify_one();
        }
        steps.push(step.clone());
    };
    let entry = desk.operations.entry("Test-MigrationServerAvailability").unwrap();
    let results = desk.client.call_in_steps(entry, request, on_step).await.unwrap();
    server.await.unwrap();
    let names: Vec<_> = steps.iter().map(|step| (step["Step"].as_str().unwrap(), &step["Result"])).collect();
    let (success, failed) = (json!("Success"), json!("Failed"));
    assert_eq!(names, [("DNS", &success), ("TCP", &success), ("Greeting", &failed)]);
    assert_eq!(results[0]["Steps"], json!(steps), "the answer has the same steps");
    assert!(!results[0]["ErrorDetail"].to_string().contains("timed out"), "{}", results[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_whole_test_is_told_once() {
    let dovecot = Setup::with_users(&["ann"]).start();
    let desk = Desk::new().await;
    let server =
        json!({ "Name": "Old", "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None" });
    desk.one("New-MigrationEndpoint", server).await;
    let credential = json!({ "UserName": "ann", "Password": Dovecot::password("ann") });
    for (cmdlet, request) in [
        ("Test-MigrationEndpoint", json!({ "Identity": "Old", "Credential": credential })),
        ("Test-MigrationServerAvailability", json!({ "Endpoint": "Old", "Credential": credential })),
    ] {
        let mut steps = Vec::new();
        let entry = desk.operations.entry(cmdlet).unwrap();
        let results =
            desk.client.call_in_steps(entry, request, |step| steps.push(step.clone())).await.unwrap();
        assert_eq!((&results[0]["Result"], &results[0]["Steps"]), (&json!("Success"), &json!(steps)));
        let told = |name: &str| steps.iter().any(|step| step["Step"] == name);
        assert!(
            ["DNS", "TCP", "TLS", "Greeting", "Sign in", "INBOX"].iter().all(|name| told(name)),
            "{steps:?}"
        );
        assert!(!json!(steps).to_string().contains(Dovecot::password("ann").as_str()));
    }
}
