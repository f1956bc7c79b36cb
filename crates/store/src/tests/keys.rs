//! The master key: its place, its faults, and its change.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use mailhaul_mail::Secret;
use tempfile::TempDir;

use super::{at, directory, ledger::contents, rows, running, user};
use crate::{MasterKeySource, SecretName, Store, StoreError};

const OWN: MasterKeySource = MasterKeySource::DataDirectory;

fn key_of(data: &Path) -> PathBuf {
    data.join("master.key")
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Returns a closed data directory with a sealed password.
async fn sealed() -> TempDir {
    let (data, store) = directory().await;
    running(&store, &["terry"]).await;
    store.close().await;
    data
}

async fn opens(data: &Path, source: MasterKeySource) -> Result<Option<Secret>, StoreError> {
    let store = Store::open(data).await.unwrap();
    let unlocked = store.secrets().unlock(source).await;
    let guid = user(&store, "terry").await.guid;
    let secret = match unlocked {
        Ok(()) => store.secrets().get(guid, SecretName::Password).await,
        Err(error) => Err(error),
    };
    store.close().await;
    secret
}

fn is_open(opened: Result<Option<Secret>, StoreError>) {
    assert_eq!(opened.unwrap(), Some(Secret::new("terry's secret")));
}

#[tokio::test]
async fn a_key_is_made_once_for_its_owner_alone() {
    let data = sealed().await;
    let path = key_of(data.path());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# ") && text.lines().count() == 2, "{text}");
    is_open(opens(data.path(), OWN).await);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert!(!data.path().join("master.key.new").exists());
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_reported_and_changes_nothing() {
    let data = sealed().await;
    let path = key_of(data.path());
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let words = opens(data.path(), OWN).await.unwrap_err().to_string();
    let expected = format!(
        "the master key {} is missing, and passwords are sealed with it: put the file back",
        path.display()
    );
    assert_eq!(words, expected);
    let files = contents(data.path()).into_keys().filter(|it| it.to_string_lossy().contains("master"));
    assert_eq!(files.count(), 0);

    let other = sealed().await;
    fs::copy(key_of(other.path()), &path).unwrap();
    let words = opens(data.path(), OWN).await.unwrap_err().to_string();
    assert!(words.ends_with("is not the one that the passwords are sealed with"), "{words}");
    assert_eq!(fs::read(&path).unwrap(), fs::read(key_of(other.path())).unwrap());
    for source in [MasterKeySource::File(path.clone()), MasterKeySource::Credential(path.clone())] {
        let error = opens(data.path(), source).await.unwrap_err();
        assert!(matches!(error, StoreError::KeyWrong { .. }), "{error}");
    }
    write(&path, &text, 0o600);
    is_open(opens(data.path(), OWN).await);
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    let data = sealed().await;
    let path = key_of(data.path());
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for source in [OWN, MasterKeySource::File(path.clone())] {
            let words = opens(data.path(), source).await.unwrap_err().to_string();
            let expected = format!(
                "the master key {} is accessible to users other than its owner (mode {mode:o})",
                path.display()
            );
            assert!(words.starts_with(&expected), "{words}");
        }
        // The service manager is responsible for the mode of its credentials.
        is_open(opens(data.path(), MasterKeySource::Credential(path.clone())).await);
    }
}

#[tokio::test]
async fn a_file_of_the_administrators_is_never_made() {
    let (data, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = elsewhere.path().join("key");
    let store = Store::open(data.path()).await.unwrap();
    let missing = store.secrets().unlock(MasterKeySource::File(path.clone())).await.unwrap_err().to_string();
    assert_eq!(missing, format!("the master key {} is missing", path.display()));
    write(&path, "not a key", 0o600);
    let wrong = store.secrets().unlock(MasterKeySource::File(path.clone())).await.unwrap_err().to_string();
    assert!(wrong.ends_with("does not hold one line with 32 bytes in base64 or hexadecimal"), "{wrong}");
    write(&path, &"0f".repeat(32), 0o400);
    store.secrets().unlock(MasterKeySource::File(path.clone())).await.unwrap();
    running(&store, &["terry"]).await;
    store.close().await;
    is_open(opens(data.path(), MasterKeySource::File(path.clone())).await);
    let error = opens(data.path(), OWN).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyMissing { .. }), "{error}");
    assert!(!key_of(data.path()).exists());
    fs::remove_file(&path).unwrap();
    let error = opens(data.path(), MasterKeySource::File(path)).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyMissing { .. }), "{error}");
}

#[tokio::test]
async fn a_changed_key_opens_everything_and_the_old_one_nothing() {
    let (data, store) = directory().await;
    let names: Vec<String> = (0..600).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (_, sales) = running(&store, &names).await;
    store.batches().add_users(sales.guid, rows(&["terry"]), at(1)).await.unwrap();
    let before = fs::read_to_string(key_of(data.path())).unwrap();
    store.secrets().rotate(OWN).await.unwrap();
    let after = fs::read_to_string(key_of(data.path())).unwrap();
    assert_ne!(before, after);
    assert!(!data.path().join("master.key.old").exists());
    for name in ["user0", "user599", "terry"] {
        let guid = user(&store, name).await.guid;
        let expected = Some(Secret::new(format!("{name}'s secret")));
        assert_eq!(store.secrets().get(guid, SecretName::Password).await.unwrap(), expected, "{name}");
    }
    store.batches().add_users(sales.guid, rows(&["anna"]), at(2)).await.unwrap();
    store.close().await;
    is_open(opens(data.path(), OWN).await);
    write(&key_of(data.path()), &before, 0o600);
    assert!(matches!(opens(data.path(), OWN).await, Err(StoreError::KeyWrong { .. })));
    write(&key_of(data.path()), &after, 0o600);

    // To a file of the administrator, and back.
    let elsewhere = TempDir::new().unwrap();
    let path = elsewhere.path().join("key");
    write(&path, &"0f".repeat(32), 0o600);
    let file = MasterKeySource::File(path);
    let store = Store::open(data.path()).await.unwrap();
    store.secrets().unlock(OWN).await.unwrap();
    store.secrets().rotate(file.clone()).await.unwrap();
    let words = store.secrets().rotate(OWN).await.unwrap_err().to_string();
    assert!(words.ends_with("is not the key in use, and would be overwritten: move it away"), "{words}");
    store.close().await;
    is_open(opens(data.path(), file.clone()).await);
    fs::remove_file(key_of(data.path())).unwrap();
    let store = Store::open(data.path()).await.unwrap();
    store.secrets().unlock(file).await.unwrap();
    store.secrets().rotate(OWN).await.unwrap();
    store.close().await;
    is_open(opens(data.path(), OWN).await);
}

#[tokio::test]
async fn an_interrupted_key_change_opens_before_and_after_the_commit() {
    let data = sealed().await;
    let (path, old_path) = (key_of(data.path()), data.path().join("master.key.old"));
    let before = fs::read_to_string(&path).unwrap();
    let new = fs::read_to_string(key_of(sealed().await.path())).unwrap();
    // The new key is written, and the transaction was not made.
    for _ in 0..2 {
        write(&old_path, &before, 0o600);
        write(&path, &new, 0o600);
        is_open(opens(data.path(), OWN).await);
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        assert!(!old_path.exists());
    }
    // The old key was moved aside, and the new one is not written yet.
    write(&old_path, &before, 0o600);
    write(&data.path().join("master.key.new"), "half a k", 0o600);
    is_open(opens(data.path(), OWN).await);
    // The transaction was made, and the old key is still there.
    let store = Store::open(data.path()).await.unwrap();
    store.secrets().unlock(OWN).await.unwrap();
    store.secrets().rotate(OWN).await.unwrap();
    store.close().await;
    let after = fs::read_to_string(&path).unwrap();
    write(&old_path, &before, 0o600);
    is_open(opens(data.path(), OWN).await);
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
    assert!(!old_path.exists());
}

#[tokio::test]
async fn a_key_changed_by_another_process_is_noticed_before_sealing() {
    let (data, store) = directory().await;
    let (_, sales) = running(&store, &["terry"]).await;
    let other = Store::open(data.path()).await.unwrap();
    other.secrets().unlock(OWN).await.unwrap();
    other.secrets().rotate(OWN).await.unwrap();
    let added = store.batches().add_users(sales.guid, rows(&["anna"]), at(1)).await.unwrap_err();
    assert!(matches!(added, StoreError::KeyChanged), "{added}");
    let guid = user(&store, "terry").await.guid;
    assert!(matches!(store.secrets().get(guid, SecretName::Password).await, Err(StoreError::KeyChanged)));
    assert!(matches!(store.secrets().rotate(OWN).await, Err(StoreError::KeyChanged)));
    store.secrets().unlock(OWN).await.unwrap();
    store.batches().add_users(sales.guid, rows(&["anna"]), at(1)).await.unwrap();
}
