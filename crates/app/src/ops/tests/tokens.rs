//! Endpoints with access tokens: settings, secrets, and batches.

use mailhaul_operations::{
    Caller, Client,
    FailureKind::{Forbidden, Invalid},
    Role, Service,
};
use mailhaul_store::SecretName;
use serde_json::{Value, json};
use std::sync::Arc;

use super::support::{Desk, base64};

/// An endpoint that was never tested.
async fn new(desk: &Desk, more: Value) -> Value {
    let mut request = json!({ "Name": "M365", "SkipVerification": true });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.one("New-MigrationEndpoint", request).await
}

fn microsoft() -> Value {
    json!({ "Microsoft365": true, "TenantId": "contoso.com", "ApplicationId": "app", "ClientSecret": "s3cret" })
}

async fn secret(desk: &Desk) -> Option<Vec<u8>> {
    let endpoint = desk.context.store.endpoints().get("M365").await.unwrap();
    let secret = desk.context.store.secrets().get(endpoint.guid, SecretName::TokenSecret).await.unwrap();
    secret.map(|it| it.expose().to_vec())
}

#[tokio::test]
async fn a_preset_is_shown_and_its_secret_is_not() {
    let desk = Desk::new().await;
    let shown = new(&desk, microsoft()).await;
    let again = desk.one("Get-MigrationEndpoint", json!({ "Identity": "m365" })).await;
    for (property, value) in [
        ("EndpointType", json!("Microsoft365")),
        ("RemoteServer", json!("outlook.office365.com")),
        ("Port", json!(993)),
        ("Security", json!("Ssl")),
        ("ServerProfile", json!("Microsoft 365")),
        ("Authentication", json!("OAuth")),
        ("TokenSource", json!("ClientSecret")),
        ("TenantId", json!("contoso.com")),
        ("ApplicationId", json!("app")),
        ("Scope", json!("https://outlook.office365.com/.default")),
        ("TokenUrl", json!("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token")),
        ("DeviceUrl", Value::Null),
        ("ServiceAccount", Value::Null),
        ("GmailApiUrl", Value::Null),
    ] {
        assert_eq!((&shown[property], &again[property]), (&value, &value), "{property}");
    }
    assert!(!format!("{shown} {again} {:?}", desk.audit.0.lock().unwrap()).contains("s3cret"));
    assert_eq!(secret(&desk).await.as_deref(), Some(b"s3cret".as_slice()));
    assert_eq!(desk.call("Get-MigrationEndpoint", json!({ "Type": "microsoft365" })).await.unwrap().len(), 1);
    assert_eq!(desk.call("Get-MigrationEndpoint", json!({ "Type": "IMAP" })).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_known_can_be_said_otherwise() {
    let desk = Desk::new().await;
    let mut request = microsoft();
    request.as_object_mut().unwrap().extend(
        json!({
            "RemoteServer": "127.0.0.1", "Port": 1143, "Security": "None", "AuthorityUrl": "http://127.0.0.1:8080",
            "ServerProfile": "Dovecot",
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    let shown = new(&desk, request).await;
    assert_eq!(
        (&shown["RemoteServer"], &shown["Port"], &shown["Security"], &shown["ServerProfile"]),
        (&json!("127.0.0.1"), &json!(1143), &json!("None"), &json!("Dovecot"))
    );
    assert_eq!(shown["TokenUrl"], "http://127.0.0.1:8080/contoso.com/oauth2/v2.0/token");
}

#[tokio::test]
async fn a_secret_is_replaced_and_settings_change() {
    let desk = Desk::new().await;
    new(&desk, microsoft()).await;
    let set = async |more: Value| {
        let mut request = json!({ "Identity": "M365", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.one("Set-MigrationEndpoint", request).await
    };
    let shown = set(json!({ "ClientSecret": "n3w" })).await;
    assert!(!shown.to_string().contains("n3w"));
    assert_eq!(secret(&desk).await.as_deref(), Some(b"n3w".as_slice()));
    let shown =
        set(json!({ "Scope": "https://outlook.office365.us/.default", "Port": 1993, "ClientSecret": "n3w" }))
            .await;
    assert_eq!(
        (&shown["Scope"], &shown["Port"], &shown["TokenSource"]),
        (&json!("https://outlook.office365.us/.default"), &json!(1993), &json!("ClientSecret"))
    );
    assert_eq!(secret(&desk).await.as_deref(), Some(b"n3w".as_slice()));
    let shown = set(json!({ "AccessToken": "t0ken" })).await;
    assert_eq!((&shown["TokenSource"], &shown["TokenUrl"]), (&json!("Token"), &Value::Null));
    assert_eq!(secret(&desk).await.as_deref(), Some(b"t0ken".as_slice()));
    for (more, words) in [
        (json!({ "Scope": "x" }), "Scope cannot be given with AccessToken"),
        (json!({ "Credential": null }), "has no Credential to clear"),
        (
            json!({ "Credential": { "UserName": "a", "Password": "s3cret" } }),
            "Credential does not apply to Microsoft365",
        ),
        (json!({ "ServiceAccountKeyFileData": base64("s3cret") }), "does not apply to Microsoft365"),
        (json!({ "GmailApi": true }), "GmailApi does not apply to Microsoft365"),
        (json!({ "ClientSecret": "" }), "ClientSecret must be a secret text that is not empty"),
        (json!({ "ClientSecret": ["s3cret"] }), "ClientSecret must be a secret text"),
    ] {
        let mut request = json!({ "Identity": "M365" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (kind, text) = desk.refusal("Set-MigrationEndpoint", request).await;
        assert_eq!(kind, Invalid, "{text}");
        assert!(text.contains(words) && !text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn gmails_interface_is_a_setting_of_gmail() {
    let desk = Desk::new().await;
    let shown = new(&desk, json!({ "Gmail": true, "AccessToken": "t", "GmailApi": true })).await;
    assert_eq!(
        (&shown["EndpointType"], &shown["RemoteServer"], &shown["GmailApiUrl"]),
        (&json!("GoogleWorkspace"), &json!("imap.gmail.com"), &json!("https://gmail.googleapis.com"))
    );
    for (change, url) in [
        (json!({ "Port": 1993, "AccessToken": "t" }), json!("https://gmail.googleapis.com")),
        (
            json!({ "GmailApiUrl": "http://127.0.0.1:9/gmail", "AccessToken": "t" }),
            json!("http://127.0.0.1:9/gmail"),
        ),
        (json!({ "GmailApi": true }), json!("http://127.0.0.1:9/gmail")),
        (json!({ "GmailApi": false }), Value::Null),
    ] {
        let mut request = json!({ "Identity": "M365", "SkipVerification": true });
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(desk.one("Set-MigrationEndpoint", request).await["GmailApiUrl"], url, "{change}");
    }
}

#[tokio::test]
async fn who_opens_all_mailboxes_needs_nothing_but_addresses() {
    let desk = Desk::with_endpoint().await;
    new(&desk, microsoft()).await;
    // As source: the address names the mailbox.
    let csv = base64("EmailAddress\nann@contoso.com\nbob@contoso.com\n");
    desk.one("New-MigrationBatch", json!({ "Name": "Out", "SourceEndpoint": "M365", "CSVData": csv })).await;
    let user = desk.context.store.users().get("ann@contoso.com", None).await.unwrap();
    assert_eq!(
        (user.user_name.as_str(), user.target_user_name.as_str()),
        ("ann@contoso.com", "ann@contoso.com")
    );
    // As target: neither a name nor a password.
    let csv = base64("EmailAddress,UserName,Password\ncid@contoso.com,cid,secret\n");
    let into = json!({ "Name": "In", "SourceEndpoint": "Old", "TargetEndpoint": "M365", "CSVData": csv });
    desk.one("New-MigrationBatch", into).await;
    let user = desk.context.store.users().get("cid@contoso.com", None).await.unwrap();
    assert_eq!((user.user_name.as_str(), user.target_user_name.as_str()), ("cid", "cid@contoso.com"));
    // Other endpoints need both.
    let csv = base64("EmailAddress\ndan@contoso.com\n");
    let from_old = json!({ "Name": "Old", "SourceEndpoint": "Old", "CSVData": csv });
    desk.refused("New-MigrationBatch", from_old, Invalid, "\"UserName\" is missing").await;
}

#[tokio::test]
async fn programs_are_named_on_the_machine_itself() {
    let desk = Desk::new().await;
    let service = Service::new(desk.operations.clone(), desk.context.clone(), desk.audit.clone(), "0");
    let caller = Caller { name: "eve".to_owned(), role: Role::Admin, is_local: false };
    let far = Client::local(Arc::new(service).router(), caller);
    let request = json!({ "Name": "M365", "RemoteServer": "a", "TokenCommand": ["/bin/token", "{user}"], "SkipVerification": true });
    let new_endpoint = desk.operations.entry("New-MigrationEndpoint").unwrap();
    let failure = far.call(new_endpoint, request.clone()).await.unwrap_err();
    assert_eq!(failure.kind, Forbidden, "{failure}");
    let shown = desk.one("New-MigrationEndpoint", request).await;
    assert_eq!(shown["TokenSource"], "TokenCommand");
    let change = json!({ "Identity": "M365", "TokenCommand": ["/bin/other"], "SkipVerification": true });
    let set_endpoint = desk.operations.entry("Set-MigrationEndpoint").unwrap();
    assert_eq!(far.call(set_endpoint, change.clone()).await.unwrap_err().kind, Forbidden);
    desk.one("Set-MigrationEndpoint", change).await;
}
