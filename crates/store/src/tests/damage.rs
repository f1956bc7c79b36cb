//! Damaged rows of the ledger.

use std::fs;

use mailhaul_engine::{ErrorKind, Ledger};
use mailhaul_mail::FolderPath;
use mailhaul_migration::Guid;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use super::{
    claim, directory,
    ledger::{done, ledger, opened},
    running,
};
use crate::{Store, StoreError, db::database};

/// Returns a data directory whose ledger has two folders with messages.
async fn filled() -> TempDir {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let records = [opened("INBOX"), opened("Sent"), done("INBOX", 1), done("INBOX", 2), done("Sent", 1)];
    ledger(&store).await.record(&records).await.unwrap();
    store.close().await;
    data
}

async fn change(data: &TempDir, sql: &'static str) {
    let options = database::write_options(&data.path().join("mailhaul.db")).foreign_keys(false);
    let mut connection = options.connect().await.unwrap();
    assert!(sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}

/// Returns the message of the first error while all is read.
async fn words(store: &Store) -> Option<String> {
    let ledger = match store.ledgers().mailbox("terry@old.example", "terry@new.example").await {
        Ok(ledger) => ledger,
        Err(error @ StoreError::Damaged { .. }) => return Some(error.to_string()),
        Err(error) => panic!("{error}"),
    };
    let read = async {
        ledger.folders().await?;
        ledger.folder(&FolderPath::parse("INBOX")).await?;
        ledger.folder(&FolderPath::parse("Sent")).await
    };
    read.await.err().map(|error| {
        assert_eq!(error.kind, ErrorKind::Damaged);
        error.message
    })
}

#[tokio::test]
async fn a_damaged_row_is_named() {
    let inbox = "terry@new.example, folder \"INBOX\": ";
    for (sql, expected) in [
        (
            "UPDATE message SET target_uid = 9 WHERE folder_id = 1 AND uid = 2",
            "the record of UID 2 does not match",
        ),
        ("UPDATE message SET uid = 7 WHERE folder_id = 1 AND uid = 2", "the record of UID 7 does not match"),
        ("UPDATE message SET checksum = NULL WHERE folder_id = 1", "the record of UID 1 does not match"),
        (
            "UPDATE message SET folder_id = 2 WHERE folder_id = 1 AND uid = 2",
            "it has 1 records of messages and must have 2",
        ),
        (
            "DELETE FROM message WHERE folder_id = 1 AND uid = 1",
            "it has 1 records of messages and must have 2",
        ),
    ] {
        let data = filled().await;
        change(&data, sql).await;
        let store = Store::open(data.path()).await.unwrap();
        let words = words(&store).await.unwrap();
        assert!(words.contains(&format!("{inbox}{expected}")), "{sql}: {words}");
    }
    for (sql, expected) in [
        (
            "UPDATE folder SET target = 'Trash' WHERE id = 1",
            "the record of the folder does not match its checksum",
        ),
        ("UPDATE folder SET done = 3 WHERE id = 2", "the record of the folder does not match its checksum"),
        ("DELETE FROM folder WHERE id = 2", "it has 1 records of folders and must have 2"),
        ("UPDATE mailbox SET folders = 1", "the record of the mailbox does not match its checksum"),
    ] {
        let data = filled().await;
        change(&data, sql).await;
        let store = Store::open(data.path()).await.unwrap();
        let words = words(&store).await.unwrap();
        assert!(
            words.contains("mailhaul.db is damaged at terry@old.example -> terry@new.example: "),
            "{words}"
        );
        assert!(words.contains(expected), "{sql}: {words}");
    }
}

#[tokio::test]
async fn a_change_does_not_hide_damage() {
    for sql in ["UPDATE folder SET target = 'Trash' WHERE id = 1", "UPDATE mailbox SET folders = 7"] {
        let data = filled().await;
        change(&data, sql).await;
        let store = Store::open(data.path()).await.unwrap();
        if let Ok(ledger) = store.ledgers().mailbox("terry@old.example", "terry@new.example").await {
            let error = ledger.record(&[done("INBOX", 3)]).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Damaged, "{sql}");
        }
        assert!(words(&store).await.is_some(), "{sql}");
    }
    // A row that is replaced without a read.
    let data = filled().await;
    change(&data, "UPDATE message SET checksum = checksum + 1 WHERE folder_id = 1 AND uid = 2").await;
    let store = Store::open(data.path()).await.unwrap();
    ledger(&store).await.record(&[done("INBOX", 2)]).await.unwrap();
    let words = words(&store).await.unwrap();
    assert!(words.ends_with("the records of its messages do not match their sum"), "{words}");
}

#[tokio::test]
async fn a_name_that_the_index_does_not_have_is_noticed() {
    let data = filled().await;
    spoil(&data, "sqlite_autoindex_folder_1", b"Sent", 3, 1).await;
    let store = Store::open(data.path()).await.unwrap();
    let words = words(&store).await.unwrap();
    assert!(words.contains("mailhaul.db is damaged at terry@old.example -> terry@new.example: "), "{words}");
}

#[tokio::test]
async fn a_mailbox_that_the_index_does_not_have_is_noticed_at_the_start() {
    let data = filled().await;
    spoil(&data, "sqlite_autoindex_mailbox_1", b"terry@old", 8, 1).await;
    let error = Store::open(data.path()).await.err().unwrap();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

/// The search for a name meets rows of other mailboxes; a read of one mailbox's rows does not.
#[tokio::test]
async fn a_name_that_the_rows_of_another_mailbox_hide_is_noticed() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    ledger(&store).await.record(&["a", "b", "c", "d", "e"].map(opened)).await.unwrap();
    let anna = store.ledgers().mailbox("terry@old.example", "anna@new.example").await.unwrap();
    anna.record(&[opened("other"), opened("second")]).await.unwrap();
    drop(anna);
    store.close().await;
    // The id of Anna's mailbox is the byte before the name.
    spoil(&data, "sqlite_autoindex_folder_1", b"\x02other", 0, 2).await;
    let store = Store::open(data.path()).await.unwrap();
    let words = words(&store).await.unwrap();
    assert!(words.ends_with("the folder \"e\" is not found by its name"), "{words}");
}

/// Flips a bit in a byte of the first such text on the only page of a table or index.
async fn spoil(data: &TempDir, name: &str, text: &[u8], byte: usize, bit: u8) {
    let path = data.path().join("mailhaul.db");
    let mut connection = database::read_options(&path).connect().await.unwrap();
    let page: i64 = sqlx::query_scalar("SELECT pageno FROM dbstat WHERE name = ?")
        .bind(name.to_owned())
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let mut file = fs::read(&path).unwrap();
    let begin = usize::try_from(page - 1).unwrap() * 4096;
    let place = file[begin..begin + 4096].windows(text.len()).position(|found| found == text).unwrap();
    file[begin + place + byte] ^= bit;
    fs::write(&path, file).unwrap();
}

#[tokio::test]
async fn damaged_rows_of_the_service_are_named() {
    let damaged = |words: String, expected: &str| {
        assert!(words.contains("mailhaul.db is damaged") && words.ends_with(expected), "{words}");
    };
    for (sql, expected) in [
        (
            "UPDATE endpoint SET remote_server = 'imap.odd.example'",
            "the record of the endpoint \"Old\" does not match its checksum",
        ),
        (
            "UPDATE batch SET settings = replace(settings, 'Keep', 'Mirror')",
            "the record of the batch \"Sales\" does not match its checksum",
        ),
        (
            "UPDATE migration_user SET user_name = 'anna'",
            "the record of the user \"terry@new.example\" does not match its checksum",
        ),
        (
            "UPDATE migration_user SET checksum = checksum + 1",
            "the record of the user \"terry@new.example\" does not match its checksum",
        ),
    ] {
        let (data, store) = directory().await;
        let (source, sales) = running(&store, &["terry"]).await;
        store.close().await;
        change(&data, sql).await;
        let store = Store::open(data.path()).await.unwrap();
        let read = async {
            store.endpoints().get(&source.name).await?;
            store.batches().get(&sales.name).await?;
            store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await
        };
        damaged(read.await.unwrap_err().to_string(), expected);
    }
    // Values that change with every pass are not covered, and rows of an older file get checksums.
    let (data, store) = directory().await;
    let (source, sales) = running(&store, &["terry"]).await;
    store.close().await;
    change(&data, "UPDATE migration_user SET attempts = 2").await;
    for sql in [
        "UPDATE endpoint SET checksum = NULL",
        "UPDATE batch SET checksum = NULL",
        "UPDATE migration_user SET checksum = NULL",
    ] {
        change(&data, sql).await;
    }
    let store = Store::open(data.path()).await.unwrap();
    store.endpoints().get(&source.name).await.unwrap();
    store.batches().get(&sales.name).await.unwrap();
    assert_eq!(store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap().len(), 1);
}
