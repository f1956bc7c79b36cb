//! A file of the first version of the schema.

use std::{fs, path::Path};

use mailhaul_engine::Ledger;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use super::{endpoint, ledger::contents};
use crate::{Store, db::database};

const SOURCE: &str = "terry@old.example";
const TARGET: &str = "terry@new.example";

/// Writes a file of the first version, with one mailbox of one folder and one message.
async fn version_one(data: &Path) {
    let path = database::make_file(data).unwrap();
    let options = database::write_options(&path);
    let mut connection = options.connect().await.unwrap();
    database::migrate_to(&mut connection, 1).await.unwrap();
    for sql in [
        "INSERT INTO mailbox VALUES (1, 'terry@old.example', 'terry@new.example')",
        "INSERT INTO folder (id, mailbox_id, source, target, uid_validity) VALUES (1, 1, 'INBOX', 'INBOX', 7)",
        "INSERT INTO message (folder_id, uid, state, reason) VALUES (1, 5, 2, 'too large')",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn assert_ledger_is_there(store: &Store) {
    let ledger = store.ledgers().mailbox(SOURCE, TARGET).await.unwrap();
    let folders = ledger.folders().await.unwrap();
    assert_eq!(folders.len(), 1);
    let state = ledger.folder(&folders[0].folder).await.unwrap().unwrap();
    assert_eq!(state.messages.len(), 1);
}

#[tokio::test]
async fn a_ledger_of_the_first_version_is_read_without_being_changed() {
    let data = TempDir::new().unwrap();
    version_one(data.path()).await;
    let before = contents(data.path());
    let store = Store::open_read_only(data.path()).await.unwrap().unwrap();
    assert_ledger_is_there(&store).await;
    let words = store.endpoints().list().await.unwrap_err().to_string();
    let end = format!("another version of mailhaul (schema 1, this one knows {})", database::SCHEMA_VERSION);
    assert!(words.ends_with(&end), "{words}");
    store.close().await;
    assert_eq!(contents(data.path()), before);
}

async fn missing_checksums(data: &Path) -> i64 {
    let options = database::write_options(&database::file_in(data));
    let mut connection = options.connect().await.unwrap();
    let missing = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM mailbox WHERE checksum IS NULL) + \
         (SELECT count(*) FROM folder WHERE checksum IS NULL) + \
         (SELECT count(*) FROM message WHERE checksum IS NULL)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    missing
}

#[tokio::test]
async fn the_rows_of_an_older_ledger_get_checksums_once() {
    let data = TempDir::new().unwrap();
    version_one(data.path()).await;
    let options = database::write_options(&database::file_in(data.path()));
    // A process that ended between the step of the schema and the checksums.
    let mut connection = options.connect().await.unwrap();
    database::migrate_to(&mut connection, database::SCHEMA_VERSION).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(missing_checksums(data.path()).await, 3);
    let store = Store::open(data.path()).await.unwrap();
    assert_ledger_is_there(&store).await;
    store.close().await;
    assert_eq!(missing_checksums(data.path()).await, 0);

    let mut connection = options.connect().await.unwrap();
    sqlx::query("UPDATE mailbox SET checksum = NULL").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let words = Store::open(data.path()).await.err().unwrap().to_string();
    assert!(words.ends_with("mailhaul.db is damaged: the checksum of the mailbox is missing"), "{words}");
}

#[tokio::test]
async fn a_ledger_of_the_first_version_is_kept_by_the_second() {
    let data = TempDir::new().unwrap();
    version_one(data.path()).await;
    for _ in 0..2 {
        let store = Store::open(data.path()).await.unwrap();
        assert_ledger_is_there(&store).await;
        store.close().await;
    }
    let store = Store::open(data.path()).await.unwrap();
    store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let read_only = Store::open_read_only(data.path()).await.unwrap().unwrap();
    assert_eq!(read_only.endpoints().list().await.unwrap().len(), 1);
    assert_ledger_is_there(&read_only).await;
    assert!(fs::metadata(data.path().join("master.key")).is_err());
}
