//! Looks at databases: their schema, settings, damage and sizes.

use std::fs;

use mailhaul_testkit::Postgres;
use sqlx::ConnectOptions as _;
use tempfile::TempDir;

use super::{Home as TestHome, directory, on_server, running};
use crate::{Home, Relocation, StoreError, db::database, inspect};

#[tokio::test]
async fn a_file_is_looked_at_without_a_change() {
    let (data, store) = directory().await;
    running(&store, &["terry", "anna"]).await;
    let home = Home::Directory(data.path().to_owned());
    let beside = inspect(&home).await.unwrap();
    assert_eq!((beside.missing.as_slice(), beside.damage.as_slice()), ([].as_slice(), [].as_slice()));
    store.close().await;
    let before = super::ledger::contents(data.path());
    let found = inspect(&home).await.unwrap();
    assert_eq!(super::ledger::contents(data.path()), before);
    assert_eq!(
        (found.schema, found.known_schema),
        (Some(database::SCHEMA_VERSION), database::SCHEMA_VERSION)
    );
    assert_eq!((found.server, found.relocation), (None, None));
    let users = found.tables.iter().find(|table| table.name == "migration_user").unwrap();
    assert!(users.rows == 2 && users.bytes >= 4_096, "{users:?}");
    let empty = TempDir::new().unwrap();
    let error = inspect(&Home::Directory(empty.path().to_owned())).await.unwrap_err();
    assert!(matches!(error, StoreError::NoData { .. }), "{error}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn damage_and_an_older_schema_of_a_file_are_shown() {
    let data = TempDir::new().unwrap();
    let home = Home::Directory(data.path().to_owned());
    let path = database::make_file(data.path()).unwrap();
    let mut connection = database::write_options(&path).connect().await.unwrap();
    database::migrate_to(&mut connection, 17).await.unwrap();
    let found = inspect(&home).await.unwrap();
    assert_eq!((found.schema, found.missing.len()), (Some(17), 0));
    database::migrate_to(&mut connection, database::SCHEMA_VERSION).await.unwrap();
    for sql in
        ["DROP INDEX usage_hour", "ALTER TABLE message DROP COLUMN arrived", "PRAGMA foreign_keys = OFF"]
    {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    let found = inspect(&home).await.unwrap();
    assert_eq!(found.missing, ["column message.arrived", "index usage_hour"]);
    let orphan = "INSERT INTO usage VALUES (zeroblob(16), 'terry', 1, 1)";
    sqlx::query(orphan).execute(&mut connection).await.unwrap();
    let found = inspect(&home).await.unwrap();
    assert_eq!(found.damage, ["usage: a row refers to a missing row of endpoint"]);
}

#[tokio::test]
async fn settings_and_sizes_of_a_server_are_shown() {
    let (home, store) = on_server().await;
    running(&store, &["terry"]).await;
    let TestHome::Server { server, .. } = &home else { unreachable!() };
    let place = Home::Server(Box::new(home.address()));
    let lock = store.nodes().take_service(super::node()).await.unwrap();
    let found = inspect(&place).await.unwrap();
    assert_eq!((found.missing.as_slice(), found.services.len()), ([].as_slice(), 1));
    let facts = found.server.unwrap();
    assert!(facts.loses_commits() && !facts.has_fsync && facts.has_full_page_writes, "{facts:?}");
    assert_eq!((facts.synchronous_commit.as_str(), facts.synchronous_standbys.as_str()), ("on", ""));
    assert!(facts.clock_offset.abs() <= facts.clock_error, "{facts:?}");
    let users = found.tables.iter().find(|table| table.name == "migration_user").unwrap();
    assert!(users.rows == 1 && users.bytes >= 8_192, "{users:?}");
    // A table in parts, whose size is that of all.
    assert!(found.tables.iter().any(|table| table.name == "message" && table.bytes >= 32 * 8_192));

    store.nodes().end(lock.owner()).await.unwrap();
    server.ask("DROP INDEX usage_hour; INSERT INTO relocation VALUES (1, 'Moved', '/data', 0)");
    let found = inspect(&place).await.unwrap();
    assert_eq!(found.missing, ["index usage_hour"]);
    assert_eq!(found.relocation, Some(Relocation::Moved("/data".to_owned())));
    assert_eq!(found.services, [""; 0]);
}

#[tokio::test]
async fn an_empty_database_stays_empty() {
    let server = Box::new(Postgres::start(&[]));
    let home = TestHome::Server { server, key: TempDir::new().unwrap() };
    let found = inspect(&Home::Server(Box::new(home.address()))).await.unwrap();
    assert_eq!((found.schema, found.tables.len()), (None, 0));
    assert!(!found.server.unwrap().loses_commits());
    let TestHome::Server { server, .. } = &home else { unreachable!() };
    assert_eq!(server.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}
