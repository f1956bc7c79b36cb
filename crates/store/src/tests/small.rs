//! Configuration, tokens, the audit log, and the lock of the service.

use mailhaul_mail::Secret;
use mailhaul_migration::{CutoverPolicy, Guid, Limit, MigrationConfig, NotificationServers};

use super::{at, endpoint, on_both, service};
use crate::{AuditEntry, Store, StoreError};

on_both! {
    a_token_is_known_until_it_is_revoked,
    the_audit_log_is_listed_newest_first,
}

#[tokio::test]
async fn the_configuration_begins_with_the_defaults() {
    let (data, store) = service().await;
    assert_eq!(store.config().get().await.unwrap(), MigrationConfig::default());
    let target = store.endpoints().insert(endpoint("New"), None).await.unwrap();
    let wanted = MigrationConfig {
        max_number_of_batches: Limit::Unlimited,
        max_concurrent_migrations: Limit::At(7),
        target_endpoint: Some(target.guid),
        cutover_policy: CutoverPolicy::Refuse,
        public_resolvers: vec!["192.0.2.53:53".parse().unwrap()],
        notifications: NotificationServers { smtp: None, webhook: Some("https://hook.example".to_owned()) },
    };
    let given = wanted.clone();
    assert_eq!(store.config().update(move |it| *it = given).await.unwrap(), wanted);
    let error = store.config().update(|it| it.target_endpoint = Some(Guid::nil())).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "endpoint", .. }), "{error}");
    store.close().await;
    let store = Store::open(data.path()).await.unwrap();
    assert_eq!(store.config().get().await.unwrap(), wanted);
}

async fn a_token_is_known_until_it_is_revoked() {
    let (_data, store) = service().await;
    let (kept, token) = store.tokens().create("ci", "operator", at(0)).await.unwrap();
    let text = str::from_utf8(token.expose()).unwrap();
    assert!(text.starts_with("mh_") && text.len() == 46, "{text}");
    assert_eq!((kept.name.as_str(), kept.role.as_str(), kept.last_used), ("ci", "operator", None));
    let error = store.tokens().create("CI", "reader", at(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { what: "token", .. }), "{error}");

    let last_used = |second| {
        let (store, token) = (store.clone(), token.clone());
        async move { store.tokens().check(&token, at(second)).await.unwrap().unwrap().last_used }
    };
    assert_eq!(last_used(10).await, Some(at(10)));
    assert_eq!(last_used(69).await, Some(at(10)));
    assert_eq!(last_used(70).await, Some(at(70)));
    assert_eq!(store.tokens().list().await.unwrap()[0].last_used, Some(at(70)));
    let wrong = Secret::new(format!("{text}x"));
    assert_eq!(store.tokens().check(&wrong, at(71)).await.unwrap(), None);

    let revoked = store.tokens().revoke("Ci", at(80)).await.unwrap();
    assert_eq!((revoked.guid, revoked.revoked), (kept.guid, Some(at(80))));
    assert_eq!(store.tokens().check(&token, at(81)).await.unwrap(), None);
    assert!(matches!(store.tokens().revoke("ci", at(82)).await, Err(StoreError::NotFound { .. })));
    let (second, _) = store.tokens().create("ci", "reader", at(90)).await.unwrap();
    store.tokens().revoke(&second.guid.to_string(), at(91)).await.unwrap();
    let all: Vec<_> =
        store.tokens().list().await.unwrap().into_iter().map(|it| (it.guid, it.revoked)).collect();
    assert_eq!(all, [(kept.guid, Some(at(80))), (second.guid, Some(at(91)))]);
}

async fn the_audit_log_is_listed_newest_first() {
    let (_data, store) = service().await;
    let entry = |number: i64| AuditEntry {
        time: at(number),
        who: "anna".to_owned(),
        operation: "New-MigrationBatch".to_owned(),
        identity: format!("batch {number}"),
        outcome: "done".to_owned(),
    };
    for number in 1..=5 {
        store.audit().append(entry(number)).await.unwrap();
    }
    let page = store.audit().list(None, 3).await.unwrap();
    assert_eq!(page.items, [entry(5), entry(4), entry(3)]);
    store.audit().append(entry(6)).await.unwrap();
    let page = store.audit().list(page.next, 3).await.unwrap();
    assert_eq!((page.items.as_slice(), page.next), ([entry(2), entry(1)].as_slice(), None));
}

#[tokio::test]
async fn there_is_one_service_for_a_data_directory() {
    let (data, store) = service().await;
    let held = store.lock_service().unwrap();
    let second = Store::open(data.path()).await.unwrap();
    let words = second.lock_service().unwrap_err().to_string();
    let expected = format!(
        "another mailhaul serve (process {}) runs with the data in {}",
        std::process::id(),
        data.path().display()
    );
    assert_eq!(words, expected);
    let owner = held.owner();
    drop(held);
    assert_ne!(second.lock_service().unwrap().owner(), owner);
}
