//! Endpoints and their administrator's password.

use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::{
    Access, AdminAccess, AdminForm, BatchIntent, Endpoint, EndpointSecurity, EndpointType, Grant, Guid,
    Limit, OAuth, Rates,
};

use super::{at, batch, endpoint, on_both, service};
use crate::{NewSecret, SecretName, Store, StoreError};

on_both! {
    an_endpoint_comes_back_as_it_was_kept_by_name_and_by_guid,
    names_are_unique_without_regard_to_case,
    a_change_keeps_guid_and_time_of_making,
    the_administrators_password_is_set_changed_and_removed,
    an_endpoint_in_use_stays_and_its_users_are_named,
    token_settings_are_stored_with_their_secret,
    a_secret_that_replaces_its_own_kind_leaves_the_endpoint_as_it_was,
}

fn full(name: &str) -> Endpoint {
    Endpoint {
        security: EndpointSecurity::Tls,
        port: 143,
        accept_untrusted_certificates: true,
        certificate_authorities: Some("-----BEGIN CERTIFICATE-----".to_owned()),
        certificate_sha256: Some([7; 32]),
        max_concurrent_migrations: Limit::Unlimited,
        max_concurrent_incremental_syncs: Limit::At(u32::MAX),
        server_profile: Some("Courier".to_owned()),
        auth_mechanism: Some("PLAIN".to_owned()),
        reach: Reach::OtherMachines,
        rates: Rates { messages_per_second: Some(4), bytes_per_day: Some(u64::MAX), ..Rates::default() },
        access: Access::Admin(AdminAccess {
            user_name: "mailadmin".to_owned(),
            form: AdminForm::Template("{user}*{admin}".to_owned()),
        }),
        endpoint_type: EndpointType::GoogleWorkspace,
        gmail_api: Some("https://gmail.example".to_owned()),
        modified: at(5),
        ..endpoint(name)
    }
}

async fn password(store: &Store, endpoint: &Endpoint) -> Option<Secret> {
    store.secrets().get(endpoint.guid, SecretName::AdminPassword).await.unwrap()
}

async fn an_endpoint_comes_back_as_it_was_kept_by_name_and_by_guid() {
    let (_data, store) = service().await;
    for endpoint in [full("Old"), endpoint("plain")] {
        let kept = store.endpoints().insert(endpoint.clone(), None).await.unwrap();
        assert_eq!(kept, endpoint);
        assert_eq!(store.endpoints().get(&endpoint.name.to_uppercase()).await.unwrap(), endpoint);
        assert_eq!(store.endpoints().get(&endpoint.guid.to_string()).await.unwrap(), endpoint);
        assert_eq!(store.endpoints().by_guid(endpoint.guid).await.unwrap(), endpoint);
    }
    let names: Vec<_> = store.endpoints().list().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["Old", "plain"]);
    let words = store.endpoints().get("New").await.unwrap_err().to_string();
    assert_eq!(words, "there is no endpoint \"New\"");
    assert!(matches!(store.endpoints().by_guid(Guid::nil()).await, Err(StoreError::NotFound { .. })));
}

async fn names_are_unique_without_regard_to_case() {
    let (_data, store) = service().await;
    let first = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let second = store.endpoints().insert(endpoint("Older"), None).await.unwrap();
    let error = store.endpoints().insert(endpoint("OLD"), None).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { what: "endpoint", .. }), "{error}");
    let error = store
        .endpoints()
        .update(second.guid, NewSecret::Keep, |it| it.name = "old".to_owned())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the endpoint \"old\" exists already");
    // An endpoint may take its own name in another case.
    let renamed =
        store.endpoints().update(first.guid, NewSecret::Keep, |it| it.name = "OLD".to_owned()).await;
    assert_eq!(renamed.unwrap().name, "OLD");
}

async fn a_change_keeps_guid_and_time_of_making() {
    let (_data, store) = service().await;
    let kept = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let wanted = Endpoint { guid: kept.guid, ..full("New") };
    let given = wanted.clone();
    let changed = store
        .endpoints()
        .update(kept.guid, NewSecret::Keep, move |it| {
            *it = Endpoint { guid: Guid::new_v4(), created: at(9), ..given };
        })
        .await
        .unwrap();
    assert_eq!(changed, wanted);
    let error = store.endpoints().update(Guid::nil(), NewSecret::Keep, |_| {}).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "endpoint", .. }), "{error}");
}

async fn the_administrators_password_is_set_changed_and_removed() {
    let (_data, store) = service().await;
    let kept = store.endpoints().insert(full("Old"), Some(Secret::new("first"))).await.unwrap();
    assert_eq!(password(&store, &kept).await, Some(Secret::new("first")));
    store.endpoints().update(kept.guid, NewSecret::Keep, |it| it.port = 1).await.unwrap();
    assert_eq!(password(&store, &kept).await, Some(Secret::new("first")));
    store.endpoints().update(kept.guid, NewSecret::Set(Secret::new("second")), |_| {}).await.unwrap();
    assert_eq!(password(&store, &kept).await, Some(Secret::new("second")));
    store.endpoints().update(kept.guid, NewSecret::Remove, |_| {}).await.unwrap();
    assert_eq!(password(&store, &kept).await, None);

    store.endpoints().update(kept.guid, NewSecret::Set(Secret::new("third")), |_| {}).await.unwrap();
    store.endpoints().remove(kept.guid).await.unwrap();
    assert_eq!(password(&store, &kept).await, None);
    assert!(matches!(store.endpoints().remove(kept.guid).await, Err(StoreError::NotFound { .. })));
}

async fn an_endpoint_in_use_stays_and_its_users_are_named() {
    let (_data, store) = service().await;
    let [old, new, third] = ["Old", "New", "Third"].map(endpoint);
    for it in [&old, &new, &third] {
        store.endpoints().insert(it.clone(), None).await.unwrap();
    }
    for (name, source) in [("Sales", &old), ("Staff", &third)] {
        let mut batch = batch(name, source, BatchIntent::Created);
        batch.target_endpoint = Some(new.guid);
        store.batches().insert(batch, Vec::new()).await.unwrap();
    }
    let target = new.guid;
    store.config().update(move |it| it.target_endpoint = Some(target)).await.unwrap();
    let words = store.endpoints().remove(old.guid).await.unwrap_err().to_string();
    assert_eq!(words, "the endpoint \"Old\" is used by batch \"Sales\"");
    let words = store.endpoints().remove(new.guid).await.unwrap_err().to_string();
    let expected = "the endpoint \"New\" is used by batch \"Sales\", batch \"Staff\", the configuration";
    assert_eq!(words, expected);

    store.batches().remove(store.batches().get("Sales").await.unwrap().batch.guid).await.unwrap();
    store.endpoints().remove(old.guid).await.unwrap();
    assert_eq!(store.endpoints().list().await.unwrap().len(), 2);
}

async fn token_settings_are_stored_with_their_secret() {
    let (_data, store) = service().await;
    let oauth = OAuth {
        grant: Grant::ServiceAccount { email: "haul@p.example".to_owned(), key_id: "k".to_owned() },
        token_url: "https://token.example".to_owned(),
        device_url: String::new(),
        client_id: "1234".to_owned(),
        scope: "mail".to_owned(),
        tenant: None,
    };
    let wanted = Endpoint { access: Access::OAuth(oauth), ..endpoint("G") };
    let kept = store.endpoints().insert(wanted.clone(), Some(Secret::new("key"))).await.unwrap();
    assert_eq!(kept, wanted);
    let secret = async |name| store.secrets().get(kept.guid, name).await.unwrap();
    assert_eq!(secret(SecretName::TokenSecret).await, Some(Secret::new("key")));
    assert_eq!(secret(SecretName::AdminPassword).await, None);
    // An administrator replaces the tokens, and the password their secret.
    let admin = full("G").access;
    let change = move |it: &mut Endpoint| it.access = admin;
    store.endpoints().update(kept.guid, NewSecret::Set(Secret::new("own")), change).await.unwrap();
    assert_eq!(secret(SecretName::TokenSecret).await, None);
    assert_eq!(secret(SecretName::AdminPassword).await, Some(Secret::new("own")));
    store.endpoints().remove(kept.guid).await.unwrap();
    assert_eq!(secret(SecretName::AdminPassword).await, None);
}

async fn a_secret_that_replaces_its_own_kind_leaves_the_endpoint_as_it_was() {
    let (_data, store) = service().await;
    let kept = store.endpoints().insert(full("Old"), Some(Secret::new("r0"))).await.unwrap();
    let replace = async |before: &str, now: &str| {
        let (before, now) = (Secret::new(before), Secret::new(now));
        store.secrets().replace(kept.guid, SecretName::AdminPassword, before, now).await.unwrap()
    };
    assert!(replace("r0", "r1").await);
    assert_eq!(password(&store, &kept).await, Some(Secret::new("r1")));
    assert_eq!(store.endpoints().by_guid(kept.guid).await.unwrap(), kept);
    // Another caller has set a new secret meanwhile.
    store.endpoints().update(kept.guid, NewSecret::Set(Secret::new("new")), |_| {}).await.unwrap();
    assert!(!replace("r1", "r2").await);
    assert_eq!(password(&store, &kept).await, Some(Secret::new("new")));
    store.endpoints().remove(kept.guid).await.unwrap();
    assert!(!replace("new", "r3").await);
    assert_eq!(password(&store, &kept).await, None);
}
