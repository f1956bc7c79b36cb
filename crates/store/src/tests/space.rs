//! The file becomes smaller after the removal of many rows.

use std::fs;

use mailhaul_migration::Guid;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{at, directory};
use crate::{AuditEntry, Store, db::database};

/// Fills the audit log with this many entries of a kibibyte.
async fn fill(store: &Store, entries: usize) {
    let filling = (0..entries).map(|_| {
        store.audit().append(AuditEntry {
            time: at(0),
            who: "anna".to_owned(),
            operation: "Get-MigrationUser".to_owned(),
            identity: "x".repeat(1000),
            outcome: Guid::new_v4().to_string(),
        })
    });
    futures_util::future::join_all(filling).await;
}

/// Empties the audit log, the largest table of this file.
async fn empty(store: &Store) {
    store
        .change(|connection| {
            Box::pin(async move {
                Ok(crate::db::sql::query("DELETE FROM audit").execute(connection).await.map(drop)?)
            })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn removed_pages_go_back_to_the_disk_in_steps() {
    let (data, store) = directory().await;
    fill(&store, 12_000).await;
    empty(&store).await;
    let mut steps = Vec::new();
    loop {
        match store.give_back_space().await.unwrap() {
            0 => break,
            pages => steps.push(pages),
        }
    }
    assert!(steps.len() > 1 && steps.iter().all(|&pages| pages <= 2048), "{steps:?}");
    store.close().await;
    let file = database::file_in(data.path());
    let length = fs::metadata(&file).unwrap().len();
    assert!(length < 3 << 20, "{length} bytes are left");
}

#[tokio::test]
async fn an_older_file_keeps_its_pages_until_a_vacuum() {
    let (data, store) = directory().await;
    store.close().await;
    let file = database::file_in(data.path());
    let mut connection = database::write_options(&file).connect().await.unwrap();
    for sql in ["PRAGMA auto_vacuum = NONE", "VACUUM"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let store = Store::open(data.path()).await.unwrap();
    fill(&store, 2000).await;
    empty(&store).await;
    assert_eq!(store.give_back_space().await.unwrap(), 0);
    store.close().await;
    // The command that the documentation names.
    let mut connection = database::read_options(&file).read_only(false).connect().await.unwrap();
    for sql in ["PRAGMA auto_vacuum = INCREMENTAL", "VACUUM"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let store = Store::open(data.path()).await.unwrap();
    fill(&store, 2000).await;
    empty(&store).await;
    assert!(store.give_back_space().await.unwrap() > 0);
    store.close().await;
}
