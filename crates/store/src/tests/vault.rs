//! Sealed passwords.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use mailhaul_mail::Secret;
use mailhaul_migration::{BatchIntent, UserRow};

use tempfile::TempDir;

use super::{at, batch, endpoint, key_file, ledger::contents, on_both, row, rows, running, service, user};
use crate::{MasterKeySource, NewSecret, SecretName, Store, StoreError};

on_both! {
    a_row_in_anothers_place_is_refused,
}

/// Returns the files with these words: as they are, in base64 (at all three offsets) or in UTF-16.
fn traces(directory: &Path, words: &str) -> Vec<String> {
    let wide = |bytes: fn(u16) -> [u8; 2]| words.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let mut forms = vec![words.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    for before in ["", "x", "xx"] {
        let encoded = STANDARD.encode(format!("{before}{words}"));
        // The first and the last characters depend on the neighbours, and are left out.
        forms.push(encoded.as_bytes()[4..encoded.len() - 4].to_vec());
    }
    forms.retain(|form| form.len() > 3);
    let mut found = Vec::new();
    for (path, octets) in contents(directory) {
        for form in &forms {
            if octets.windows(form.len()).any(|it| it == form) {
                found.push(format!("{} in {}", String::from_utf8_lossy(form), path.display()));
            }
        }
    }
    found
}

#[tokio::test]
async fn no_password_is_in_any_file_at_any_time() {
    let (data, store) = service().await;
    let looked_for = [
        "correct horse battery",
        "p\u{e4}ssw\u{f6}rd of the target",
        "the administrator's",
        "mended by the administrator",
    ];
    let words = |number: usize| looked_for[number].to_owned();
    let source = store.endpoints().insert(endpoint("Old"), Some(Secret::new(words(2)))).await.unwrap();
    let secret_row = |number: usize| UserRow {
        password: Some(Secret::new(words(0))),
        target_password: Some(Secret::new(words(1))),
        ..row(number, &format!("user{number}"))
    };
    let sales = batch("Sales", &source, BatchIntent::Run);
    let look = |when: &str| {
        for words in looked_for {
            assert_eq!(traces(data.path(), words), Vec::<String>::new(), "{when}");
        }
    };
    store.batches().insert(sales.clone(), (2..700).map(secret_row).collect()).await.unwrap();
    look("inserted");
    let mended = UserRow { password: Some(Secret::new(words(3))), ..secret_row(2) };
    store.batches().add_users(sales.guid, vec![mended], at(1)).await.unwrap();
    store.endpoints().update(source.guid, NewSecret::Set(Secret::new(words(3))), |_| {}).await.unwrap();
    look("updated");
    let guid = user(&store, "user2").await.guid;
    assert_eq!(store.secrets().get(guid, SecretName::Password).await.unwrap(), Some(Secret::new(words(3))));
    store.secrets().rotate(MasterKeySource::DataDirectory).await.unwrap();
    look("sealed anew");
    let (token_of, token) = store.tokens().create("ci", "operator", at(2)).await.unwrap();
    let token = String::from_utf8(token.expose().to_vec()).unwrap();
    assert_eq!(traces(data.path(), &token), Vec::<String>::new());
    assert_eq!(token_of.name, "ci");
    store.batches().remove(sales.guid).await.unwrap();
    look("removed");
    store.close().await;
    look("closed");
    // The search finds words that are there.
    fs::write(data.path().join("found"), STANDARD.encode(format!("x{}", looked_for[0]))).unwrap();
    assert_eq!(traces(data.path(), looked_for[0]).len(), 1);
}

#[tokio::test]
async fn removed_rows_do_not_linger_in_the_file() {
    let (data, store) = service().await;
    let (_, sales) = running(&store, &["terry", "anna"]).await;
    let terry = user(&store, "terry").await.guid;
    let sealed: Vec<u8> = store
        .read(|connection| {
            Box::pin(async move {
                let query =
                    crate::db::sql::query_scalar("SELECT sealed FROM secret WHERE owner = ?").bind(terry);
                Ok(query.fetch_one(connection).await?)
            })
        })
        .await
        .unwrap();
    let is_there =
        || contents(data.path()).values().any(|it| it.windows(sealed.len()).any(|it| it == sealed));
    assert!(is_there());
    store.batches().remove(sales.guid).await.unwrap();
    store.close().await;
    assert!(!is_there());
    assert!(!data.path().join("mailhaul.db-wal").exists());
}

async fn a_row_in_anothers_place_is_refused() {
    let (_data, store) = service().await;
    running(&store, &["terry", "anna"]).await;
    let (terry, anna) = (user(&store, "terry").await.guid, user(&store, "anna").await.guid);
    store
        .change(move |connection| {
            Box::pin(async move {
                crate::db::sql::query(
                    "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE owner = ?) WHERE owner = ?",
                )
                .bind(terry)
                .bind(anna)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    let words = store.secrets().get(anna, SecretName::Password).await.unwrap_err().to_string();
    assert_eq!(words, format!("the sealed Password of {anna} was changed or damaged"));
    assert_eq!(
        store.secrets().get(terry, SecretName::Password).await.unwrap(),
        Some(Secret::new("terry's secret"))
    );
    assert_eq!(store.secrets().get(terry, SecretName::TargetPassword).await.unwrap(), None);
    // A password that cannot be opened is not lost in a change of the key: nothing changes.
    let keys = TempDir::new().unwrap();
    let error = store.secrets().rotate(key_file(keys.path(), 8)).await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed { .. }), "{error}");
    assert_eq!(
        store.secrets().get(terry, SecretName::Password).await.unwrap(),
        Some(Secret::new("terry's secret"))
    );
}

#[tokio::test]
async fn a_locked_vault_stores_and_returns_nothing() {
    let (data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let terry = user(&store, "terry").await.guid;
    store.close().await;
    let store = Store::open(data.path()).await.unwrap();
    assert!(matches!(store.secrets().get(terry, SecretName::Password).await, Err(StoreError::VaultLocked)));
    let added = store.batches().add_users(sales.guid, rows(&["anna"]), at(1)).await;
    assert!(matches!(added, Err(StoreError::VaultLocked)));
    assert_eq!(store.users().count(None).await.unwrap().total(), 1);
    let rotated = store.secrets().rotate(MasterKeySource::DataDirectory).await;
    assert!(matches!(rotated, Err(StoreError::VaultLocked)));
    // A batch without passwords needs no key.
    store.batches().insert(batch("Empty", &source, BatchIntent::Created), Vec::new()).await.unwrap();
}
