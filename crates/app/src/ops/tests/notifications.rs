//! Settings of notifications, and what is refused.

use mailhaul_operations::FailureKind::{Conflict, Invalid, NotFound};
use mailhaul_store::NotificationSecret;
use serde_json::json;

use super::support::{Desk, csv};

/// A secret of sixteen bytes.
const SECRET: &str = "0123456789abcdef";

fn server() -> serde_json::Value {
    json!({
        "SmtpServer": "smtp.contoso.edu",
        "SmtpCredential": { "UserName": "haul@contoso.edu", "Password": "sesame" },
    })
}

#[tokio::test]
async fn servers_are_kept_and_their_secrets_are_not_shown() {
    let desk = Desk::new().await;
    let shown = desk.one("Set-MigrationConfig", server()).await;
    for (property, value) in [
        ("SmtpServer", json!("smtp.contoso.edu")),
        ("SmtpPort", json!(587)),
        ("SmtpSecurity", json!("Tls")),
        ("SmtpUserName", json!("haul@contoso.edu")),
        ("NotificationFrom", json!("haul@contoso.edu")),
        ("WebhookUrl", json!(null)),
    ] {
        assert_eq!(shown[property], value, "{property}");
    }
    let hook = json!({ "WebhookUrl": "https://hooks.example/T0/path", "WebhookSecret": SECRET });
    let shown = desk.one("Set-MigrationConfig", hook).await;
    assert_eq!(shown["WebhookUrl"], "https://hooks.example/...");
    let all = format!("{shown}{:?}", desk.audit.0.lock().unwrap());
    assert!(!all.contains("sesame") && !all.contains(SECRET), "{all}");
    let config = desk.context.store.config();
    let stored = config.secret(NotificationSecret::SmtpPassword).await.unwrap().unwrap();
    assert_eq!(stored.expose(), b"sesame");
    // Another setting leaves them; $null removes them.
    desk.one("Set-MigrationConfig", json!({ "MaxNumberOfBatches": 7, "NotificationFrom": "a@b.c" })).await;
    assert!(config.secret(NotificationSecret::SmtpPassword).await.unwrap().is_some());
    let shown = desk.one("Set-MigrationConfig", json!({ "SmtpServer": null, "WebhookUrl": null })).await;
    assert_eq!((&shown["SmtpServer"], &shown["WebhookUrl"]), (&json!(null), &json!(null)));
    assert!(config.secret(NotificationSecret::SmtpPassword).await.unwrap().is_none());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let desk = Desk::new().await;
    let login = json!({ "UserName": "haul", "Password": "sesame" });
    for (request, words) in [
        (json!({ "SmtpPort": 25 }), "SmtpServer is missing"),
        (json!({ "SmtpServer": "smtp.contoso.edu" }), "NotificationFrom is missing"),
        (json!({ "SmtpServer": "smtp://x/", "NotificationFrom": "a@b.c" }), "SmtpServer: \"smtp://x/\""),
        (
            json!({ "SmtpServer": "x", "NotificationFrom": "a" }),
            "NotificationFrom: \"a\" is no e-mail address",
        ),
        (
            json!({ "SmtpServer": "x", "NotificationFrom": "a@b.c", "SmtpSecurity": "None", "SmtpCredential": login }),
            "SmtpCredential with SmtpSecurity None would send the password in clear text",
        ),
        (json!({ "WebhookUrl": "https://x.example" }), "WebhookUrl needs WebhookSecret"),
        (
            json!({ "WebhookUrl": "http://x.example", "WebhookSecret": SECRET }),
            "WebhookUrl must begin with https://",
        ),
        (
            json!({ "WebhookUrl": "https://a:b@x.example", "WebhookSecret": SECRET }),
            "must not contain a password",
        ),
        (json!({ "WebhookSecret": "short" }), "WebhookSecret: it has 5 bytes"),
    ] {
        desk.refused("Set-MigrationConfig", request, Invalid, words).await;
    }
    desk.one("Set-MigrationConfig", server()).await;
    for request in [
        json!({ "SmtpServer": "smtp.other.example" }),
        json!({ "SmtpSecurity": "Ssl" }),
        json!({ "SmtpPort": 2525 }),
    ] {
        desk.refused("Set-MigrationConfig", request, Invalid, "SmtpCredential must be given again").await;
    }
}

#[tokio::test]
async fn a_test_needs_a_server() {
    let desk = Desk::new().await;
    desk.refused("Test-MigrationNotification", json!({}), Conflict, "no server takes notifications").await;
    let gone = json!({ "BatchId": "Gone" });
    desk.refused("Test-MigrationNotification", gone.clone(), NotFound, "Gone").await;
    desk.refused("Get-MigrationNotification", gone, NotFound, "Gone").await;
    assert_eq!(
        desk.call("Get-MigrationNotification", json!({})).await.unwrap(),
        Vec::<serde_json::Value>::new()
    );
}

#[tokio::test]
async fn addresses_without_a_server_are_warned_of() {
    let desk = Desk::with_endpoint().await;
    let new = json!({
        "Name": "Staff",
        "SourceEndpoint": "Old",
        "CSVData": csv(&["a"]),
        "NotificationEmails": ["ada@contoso.edu"],
    });
    let message = |shown: &serde_json::Value| shown["Message"].as_str().unwrap().to_owned();
    let words = "; NotificationEmails get no mail: Set-MigrationConfig -SmtpServer";
    let shown = desk.one("New-MigrationBatch", new).await;
    assert!(message(&shown).contains(words), "{shown}");
    let set = |emails: serde_json::Value| json!({ "Identity": "Staff", "NotificationEmails": emails });
    let shown = desk.one("Set-MigrationBatch", set(json!(["ben@contoso.edu"]))).await;
    assert!(message(&shown).contains(words), "{shown}");
    let shown = desk.one("Set-MigrationBatch", set(json!(null))).await;
    assert!(!message(&shown).contains(words) && shown["NotificationEmails"] == json!([]), "{shown}");
    desk.one("Set-MigrationConfig", server()).await;
    let shown = desk.one("Set-MigrationBatch", set(json!(["ada@contoso.edu"]))).await;
    assert!(!message(&shown).contains(words), "{shown}");
}
