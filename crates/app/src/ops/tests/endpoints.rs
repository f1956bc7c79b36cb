//! New-, Get-, Set- and Remove-MigrationEndpoint, without a server.

use std::{fs, sync::Arc};

use mailhaul_operations::FailureKind::{Conflict, Forbidden, Invalid, NotFound};
use mailhaul_operations::{Caller, Client, Role, Service};
use mailhaul_store::SecretName;
use mailhaul_testkit::Certificate;
use serde_json::{Value, json};

use super::support::{Desk, base64};

#[tokio::test]
async fn an_endpoint_is_shown_as_exchange_shows_it() {
    let desk = Desk::with_endpoint().await;
    let shown = desk.one("Get-MigrationEndpoint", json!({ "Identity": "old" })).await;
    for (property, value) in [
        ("Identity", json!("Old")),
        ("EndpointType", json!("IMAP")),
        ("RemoteServer", json!("imap.example.org")),
        ("Port", json!(993)),
        ("Security", json!("Ssl")),
        ("Authentication", json!("Basic")),
        ("MaxConcurrentMigrations", json!(20)),
        ("MaxConcurrentIncrementalSyncs", json!(10)),
        ("ActiveMigrationCount", json!(0)),
        ("ActiveIncrementalSyncCount", json!(0)),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    let max: Vec<&String> = shown.as_object().unwrap().keys().filter(|it| it.starts_with("Max")).collect();
    assert_eq!(max, ["MaxConcurrentMigrations", "MaxConcurrentIncrementalSyncs"]);
}

/// On port 143 servers expect STARTTLS.
#[tokio::test]
async fn the_port_decides_about_encryption_alone() {
    let desk = Desk::new().await;
    for (name, more, security) in [
        ("A", json!({ "Port": 143 }), "Tls"),
        ("B", json!({ "Port": 143, "Security": "None" }), "None"),
        ("C", json!({ "Port": 1143 }), "Ssl"),
    ] {
        let mut request = json!({ "Name": name, "RemoteServer": "localhost", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(desk.one("New-MigrationEndpoint", request).await["Security"], json!(security), "{name}");
    }
}

#[tokio::test]
async fn ports_and_limits_follow_what_is_said() {
    let desk = Desk::new().await;
    for (index, (more, port, migrations, incremental)) in [
        (json!({ "Security": "Tls" }), 143, json!(20), json!(10)),
        (json!({ "Security": "None", "MaxConcurrentMigrations": 5 }), 143, json!(5), json!(5)),
        (
            json!({ "Security": "ssl", "Port": 1993, "MaxConcurrentMigrations": "unlimited" }),
            1993,
            json!("Unlimited"),
            json!(10),
        ),
        (
            json!({ "IMAP": true, "MaxConcurrentMigrations": 50, "MaxConcurrentIncrementalSyncs": 25 }),
            993,
            json!(50),
            json!(25),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut request =
            json!({ "Name": format!("E{index}"), "RemoteServer": "localhost", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let shown = desk.one("New-MigrationEndpoint", request).await;
        assert_eq!(shown["Port"], port);
        assert_eq!(
            (&shown["MaxConcurrentMigrations"], &shown["MaxConcurrentIncrementalSyncs"]),
            (&migrations, &incremental)
        );
    }
    assert_eq!(desk.call("Get-MigrationEndpoint", json!({ "Type": "imap" })).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_new_endpoint_is_refused_in_words() {
    let desk = Desk::with_endpoint().await;
    for (more, kind, words) in [
        (json!({ "Name": "OLD" }), Conflict, "\"OLD\" already exists"),
        (json!({ "Name": "archive" }), Invalid, "the archive in the data directory"),
        (json!({ "Gmail": true }), Invalid, "imap.gmail.com"),
        (json!({ "Gmail": true, "IMAP": true }), Invalid, "either IMAP or Gmail"),
        (json!({ "Microsoft365": true }), Invalid, "needs a login that opens the mailboxes"),
        (
            json!({ "TestMailbox": "a@b", "EmailAddress": "a@b" }),
            Invalid,
            "either TestMailbox or EmailAddress",
        ),
        (json!({ "ExchangeRemoteMove": true }), Invalid, "-ExchangeRemoteMove is not supported"),
        (json!({ "Authentication": "NTLM" }), Invalid, "Ntlm is not supported"),
        (json!({ "RemoteServer": "imaps://a" }), Invalid, "without anything else"),
        (json!({ "Port": 0 }), Invalid, "Port must be a whole number from 1 to 65535"),
        (json!({ "Security": "Starttls" }), Invalid, "Security must be"),
        (json!({ "MaxConcurrentMigrations": 0 }), Invalid, "MaxConcurrentMigrations"),
        (
            json!({ "MaxConcurrentIncrementalSyncs": 21 }),
            Invalid,
            "MaxConcurrentIncrementalSyncs (21) must not be above MaxConcurrentMigrations (20)",
        ),
        (json!({ "CertificateSha256": "abc" }), Invalid, "64 hexadecimal digits"),
        (json!({ "CertificateAuthorities": base64("no PEM") }), Invalid, "no certificate (PEM)"),
        (json!({ "UserNameTemplate": "{user}*{admin}" }), Invalid, "needs Credential"),
        (
            json!({ "Credential": { "UserName": "m", "Password": "p" }, "UserNameTemplate": "{admin}" }),
            Invalid,
            "must contain {user}",
        ),
        (json!({ "Frobnicate": 1 }), Invalid, "Frobnicate"),
    ] {
        let mut request = json!({ "Name": "New", "RemoteServer": "localhost", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("New-MigrationEndpoint", request, kind, words).await;
    }
}

#[tokio::test]
async fn settings_change_one_by_one_and_the_password_stays_hidden() {
    let desk = Desk::with_endpoint().await;
    let set = async |more: serde_json::Value| {
        let mut request = json!({ "Identity": "old", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.one("Set-MigrationEndpoint", request).await
    };
    let pin = "ab".repeat(32);
    let shown = set(json!({
        "Credential": { "UserName": "mailadmin", "Password": "P@ssw0rd" },
        "UserNameTemplate": "{user}*{admin}",
        "CertificateSha256": pin,
    }))
    .await;
    assert_eq!(
        (&shown["UserName"], &shown["UserNameTemplate"]),
        (&json!("mailadmin"), &json!("{user}*{admin}"))
    );
    assert_eq!(shown["CertificateSha256"], pin);
    assert!(!shown.to_string().contains("P@ssw0rd"));
    let endpoint = desk.context.store.endpoints().get("Old").await.unwrap();
    let kept =
        desk.context.store.secrets().get(endpoint.guid, SecretName::AdminPassword).await.unwrap().unwrap();
    assert_eq!(kept.expose(), b"P@ssw0rd");

    let shown = set(json!({
        "Port": 1143, "CertificateSha256": null, "UserNameTemplate": null,
        "Credential": { "UserName": "mailadmin", "Password": "P@ssw0rd" },
    }))
    .await;
    assert_eq!((&shown["Port"], &shown["Security"]), (&json!(1143), &json!("Ssl")));
    assert!(shown["CertificateSha256"].is_null() && shown["UserNameTemplate"].is_null());
    assert_eq!(shown["UserName"], "mailadmin");

    let shown = set(json!({ "Credential": null })).await;
    assert!(shown["UserName"].is_null());
    assert_eq!(
        desk.context.store.secrets().get(endpoint.guid, SecretName::AdminPassword).await.unwrap(),
        None
    );

    // Limits need no connection, so no test is reported.
    let shown = desk
        .one(
            "Set-MigrationEndpoint",
            json!({ "Identity": "Old", "MaxConcurrentMigrations": 5, "MaxConcurrentIncrementalSyncs": 5 }),
        )
        .await;
    assert_eq!(shown["MaxConcurrentMigrations"], 5);
    for (more, kind, words) in [
        (json!({ "MaxConcurrentMigrations": 4 }), Invalid, "give -MaxConcurrentIncrementalSyncs 4 or less"),
        (json!({ "UserNameTemplate": "{user}" }), Invalid, "needs Credential"),
        (json!({ "Identity": "None" }), NotFound, "\"None\" could not be found"),
    ] {
        let mut request = json!({ "Identity": "Old" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("Set-MigrationEndpoint", request, kind, words).await;
    }
}

/// Changes that decide where a secret is sent.
fn redirections() -> Vec<Value> {
    vec![
        json!({ "RemoteServer": "evil.example" }),
        json!({ "Port": 9993 }),
        json!({ "Security": "None" }),
        json!({ "AcceptUntrustedCertificates": true }),
        json!({ "CertificateAuthorities": base64(&fs::read_to_string(Certificate::valid().ca_file()).unwrap()) }),
        json!({ "CertificateSha256": "ab".repeat(32) }),
    ]
}

fn with(mut request: Value, more: &Value) -> Value {
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test]
async fn a_password_that_is_kept_goes_to_no_other_server() {
    let desk = Desk::new().await;
    let credential = json!({ "UserName": "mailadmin", "Password": "P@ssw0rd" });
    let new = json!({ "Name": "Old", "RemoteServer": "imap.example.org", "SkipVerification": true, "Credential": credential });
    desk.one("New-MigrationEndpoint", new).await;
    let before = desk.context.store.endpoints().get("Old").await.unwrap();
    for change in redirections() {
        for skip in [true, false] {
            let request = with(json!({ "Identity": "Old", "SkipVerification": skip }), &change);
            desk.refused("Set-MigrationEndpoint", request, Invalid, "Give -Credential again").await;
            assert_eq!(desk.context.store.endpoints().get("Old").await.unwrap(), before, "{change}");
        }
        let test = with(json!({ "Endpoint": "Old", "TestMailbox": "ann" }), &change);
        desk.refused("Test-MigrationServerAvailability", test, Invalid, "either Endpoint or").await;
    }
    // Better protected, or unchanged.
    let same = json!({ "Identity": "Old", "RemoteServer": "IMAP.example.org", "Security": "Tls", "SkipVerification": true });
    desk.one("Set-MigrationEndpoint", same).await;
    for change in redirections() {
        let request = json!({ "Identity": "Old", "SkipVerification": true, "Credential": credential });
        desk.one("Set-MigrationEndpoint", with(request, &change)).await;
    }
}

#[tokio::test]
async fn nor_do_tokens() {
    let desk = Desk::new().await;
    let gmail = json!({ "Name": "Old", "Gmail": true, "AccessToken": "t", "GmailApi": true, "SkipVerification": true });
    desk.one("New-MigrationEndpoint", gmail).await;
    let mut changes = redirections();
    changes.push(json!({ "GmailApiUrl": "https://evil.example/" }));
    for change in changes {
        let request = with(json!({ "Identity": "Old", "SkipVerification": true }), &change);
        desk.refused("Set-MigrationEndpoint", request.clone(), Invalid, "-AccessToken").await;
        desk.one("Set-MigrationEndpoint", with(request, &json!({ "AccessToken": "t" }))).await;
    }
}

#[tokio::test]
async fn an_operator_sends_no_users_passwords_elsewhere() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({})).await;
    let operator = remote(&desk, Role::Operator);
    let set = desk.operations.entry("Set-MigrationEndpoint").unwrap();
    for change in redirections() {
        let request = with(json!({ "Identity": "Old", "SkipVerification": true }), &change);
        let failure = operator.call(set, request.clone()).await.unwrap_err();
        assert_eq!(failure.kind, Forbidden, "{failure}");
        desk.one("Set-MigrationEndpoint", request).await;
    }
    let limits = json!({ "Identity": "Old", "MaxConcurrentMigrations": 30 });
    operator.call(set, limits).await.unwrap();
}

/// A client with a token of this role, and what it calls with.
fn remote(desk: &Desk, role: Role) -> Client {
    let service = Service::new(desk.operations.clone(), desk.context.clone(), desk.audit.clone(), "0");
    Client::local(Arc::new(service).router(), Caller { name: "eve".to_owned(), role, is_local: false })
}

/// Every spelling of this machine and its link, at every parameter that names a host.
fn local_destinations() -> Vec<Value> {
    let written = "127.0.0.1 127.9.9.9 0.0.0.0 ::1 [::1] :: ::ffff:127.0.0.1 64:ff9b::7f00:1 localhost LocalHost mail.localhost \
         169.254.169.254 fe80::1 ::ffff:a9fe:a9fe fd00:ec2::254 100.100.100.200";
    let mut table: Vec<Value> = written.split(' ').map(|host| json!({ "RemoteServer": host })).collect();
    // Addresses are read by the rules of URLs, in which these are 127.0.0.1 and 169.254.169.254.
    let hosts = "127.0.0.1 2130706433 0x7f000001 0177.0.0.1 127.1 localhost [::1] [::ffff:127.0.0.1] 169.254.169.254 0xa9fea9fe \
         ①②⑦.0.0.1";
    for host in hosts.split(' ') {
        let url = format!("https://{host}/token");
        table.push(json!({ "TokenUrl": url, "ApplicationId": "a", "ClientSecret": "s" }));
        table.push(json!({ "TokenUrl": "https://example.org/", "DeviceUrl": url, "ApplicationId": "a" }));
        table.push(json!({ "Microsoft365": true, "TenantId": "t", "ApplicationId": "a", "ClientSecret": "s",
            "AuthorityUrl": format!("https://{host}") }));
        table.push(json!({ "Gmail": true, "AccessToken": "t", "GmailApiUrl": url }));
    }
    table
}

#[tokio::test]
async fn an_operator_points_no_endpoint_at_this_machine() {
    let desk = Desk::new().await;
    let (operator, admin) = (remote(&desk, Role::Operator), remote(&desk, Role::Admin));
    let [new, set, test] =
        ["New-MigrationEndpoint", "Set-MigrationEndpoint", "Test-MigrationServerAvailability"]
            .map(|name| desk.operations.entry(name).unwrap());
    let base = json!({ "Name": "Own", "RemoteServer": "imap.example.org", "SkipVerification": true });
    operator.call(new, base.clone()).await.unwrap();
    for (number, destination) in local_destinations().iter().enumerate() {
        let base = with(base.clone(), &json!({ "Name": format!("E{number}") }));
        let request = with(base, destination);
        let failure = operator.call(new, request.clone()).await.unwrap_err();
        assert_eq!(failure.kind, Forbidden, "{destination}: {failure}");
        let made =
            admin.call(new, request).await.unwrap_or_else(|failure| panic!("{destination}: {failure}"));
        assert_eq!(made[0]["ReachesThisMachine"], true);
        if destination.get("RemoteServer").is_some() {
            let change = with(json!({ "Identity": "Own", "SkipVerification": true }), destination);
            let failure = operator.call(set, change).await.unwrap_err();
            assert_eq!(failure.kind, Forbidden, "{destination}: {failure}");
            let failure = operator.call(test, destination.clone()).await.unwrap_err();
            assert_eq!(failure.kind, Forbidden, "{destination}: {failure}");
        }
    }
}

/// Names, and addresses in other notations, are resolved when a connection is made.
#[tokio::test]
async fn nor_by_a_name_that_resolves_to_it() {
    let desk = Desk::new().await;
    let operator = remote(&desk, Role::Operator);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let test = desk.operations.entry("Test-MigrationServerAvailability").unwrap();
    for host in ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "ip6-localhost"] {
        let request = json!({ "RemoteServer": host, "Port": port, "Security": "None" });
        let shown = operator.call(test, request).await.unwrap().remove(0);
        assert_eq!(shown["Result"], "Failed", "{host}: {shown}");
        assert!(
            shown.to_string().contains("no connection may go there") || host == "ip6-localhost",
            "{shown}"
        );
    }
    let came = tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await;
    assert!(came.is_err(), "a connection was made");
}

/// The administrator's decision lasts until another person changes the destination.
#[tokio::test]
async fn an_endpoint_keeps_its_reach_until_its_host_changes() {
    let desk = Desk::new().await;
    let (operator, admin) = (remote(&desk, Role::Operator), remote(&desk, Role::Admin));
    let [new, set] =
        ["New-MigrationEndpoint", "Set-MigrationEndpoint"].map(|name| desk.operations.entry(name).unwrap());
    admin
        .call(new, json!({ "Name": "Old", "RemoteServer": "127.0.0.1", "SkipVerification": true }))
        .await
        .unwrap();
    for (caller, change, reaches) in [
        (&operator, json!({ "MaxConcurrentMigrations": 30 }), true),
        (&operator, json!({ "RemoteServer": "imap.example.org" }), false),
        (&admin, json!({ "MaxConcurrentMigrations": 20 }), false),
        (&admin, json!({ "RemoteServer": "imap.example.org" }), true),
        (&operator, json!({ "Port": 25 }), false),
    ] {
        let request = with(json!({ "Identity": "Old", "SkipVerification": true }), &change);
        let shown = caller.call(set, request).await.unwrap();
        assert_eq!(shown[0]["ReachesThisMachine"], reaches, "{change}");
    }
}

#[tokio::test]
async fn an_endpoint_in_use_stays() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({})).await;
    desk.refused("Remove-MigrationEndpoint", json!({ "Identity": "Old" }), Conflict, "batch \"B\"").await;
    desk.call("Remove-MigrationBatch", json!({ "Identity": "B" })).await.unwrap();
    assert_eq!(desk.call("Remove-MigrationEndpoint", json!({ "Identity": "OLD" })).await, Ok(Vec::new()));
    for cmdlet in ["Get-MigrationEndpoint", "Remove-MigrationEndpoint", "Test-MigrationEndpoint"] {
        desk.refused(cmdlet, json!({ "Identity": "Old" }), NotFound, "\"Old\" could not be found").await;
    }
    assert_eq!(desk.call("Get-MigrationEndpoint", json!({})).await, Ok(Vec::new()));
}

#[tokio::test]
async fn who_is_under_way_is_counted() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a", "b"], json!({ "AutoStart": true })).await;
    let claimed = desk.claim().await;
    desk.ends(&claimed[0], mailhaul_migration::UserEvent::Synced).await;
    desk.claim().await;
    let shown = desk.one("Get-MigrationEndpoint", json!({ "Identity": "Old" })).await;
    assert_eq!(shown["ActiveMigrationCount"], 2);
    assert_eq!(shown["ActiveIncrementalSyncCount"], 1);
}
