//! Endpoints are made, tested, changed and removed in the page.

use mailhaul_testkit::{Certificate, Dovecot, Setup};
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_made_tested_pinned_changed_and_removed() {
    let mut world = World::without_endpoints(1).await;
    let certificate = Certificate::of_another();
    let secure = Setup::with_users(&["user1"]).start_tls(&certificate);
    let token = world.token("ada", "Admin");
    let facts = json!({
        "token": token,
        "port": world.from.port(),
        "securePort": secure.tls_port(),
        "sha256": certificate.sha256(),
        "password": Dovecot::password("user1"),
    });
    world.play("endpoints", &facts);
    let endpoints = world.service.expect(&["Get-MigrationEndpoint"]);
    let named = |name: &str| endpoints.iter().find(|it| it["Identity"] == name);
    assert!(named("Plain").is_none(), "{endpoints:#?}");
    let pinned = named("Pinned").unwrap();
    let digits = |text: &str| text.replace(':', "").to_lowercase();
    assert_eq!(digits(pinned["CertificateSha256"].as_str().unwrap()), digits(certificate.sha256()));
    assert_eq!(
        (&pinned["MaxConcurrentMigrations"], &pinned["BytesPerDay"]),
        (&json!(7), &json!(500_000_000))
    );
    let log = world.service.expect(&["Get-MigrationAuditLog"]);
    assert!(!log.iter().any(|entry| entry.to_string().contains(&Dovecot::password("user1"))), "{log:#?}");
}
