//! Copies that must not begin, and places that must not be used after one.

use mailhaul_engine::Ledger;
use mailhaul_migration::BatchIntent;
use tempfile::TempDir;

use super::{
    super::node,
    super::{
        batch, endpoint,
        ledger::{done, opened},
    },
    Home, Places, run,
};
use crate::{Store, StoreError, copy};

async fn refused(from: &Home, to: &Home) -> StoreError {
    copy(from, to, |_| {}).await.unwrap_err()
}

#[tokio::test]
async fn a_moved_source_is_used_no_more() {
    let places = Places::new();
    places.fill(Vec::new()).await;
    // A shell that was open before.
    let shell = places.open(&places.file).await;
    run(&places.from(), &places.to()).await;
    let file = places.from().place();
    let words = format!("the data in {file} was moved to {}: continue there", places.to().place());
    let errors = [
        Store::open(places.file.path()).await.err().unwrap(),
        Store::open_read_only(places.file.path()).await.err().unwrap(),
        shell.endpoints().insert(endpoint("Late"), None).await.unwrap_err(),
        shell.ledgers().mailbox("a", "b").await.err().unwrap(),
        refused(&places.from(), &places.back()).await,
        refused(&places.from(), &places.to()).await,
    ];
    for error in errors {
        assert_eq!(error.to_string(), words);
    }
    run(&places.to(), &places.back()).await;
    let error = Store::connect(&places.server.address()).await.err().unwrap();
    assert!(matches!(&error, StoreError::Moved { to, .. } if *to == places.back().place()), "{error}");
}

#[tokio::test]
async fn only_an_empty_target_is_filled() {
    let (places, others) = (Places::new(), Places::new());
    places.fill(Vec::new()).await;
    others.fill(Vec::new()).await;
    for other in [others.from(), others.to()] {
        if matches!(other, Home::Server(_)) {
            run(&others.from(), &other).await;
        }
        let error = refused(&places.from(), &other).await;
        assert!(matches!(&error, StoreError::NotEmpty { .. }), "{error}");
    }
    let error = refused(&places.from(), &places.from()).await;
    assert!(matches!(&error, StoreError::SameDatabase { .. }), "{error}");
    let nothing = TempDir::new().unwrap();
    let error = refused(&Home::Directory(nothing.path().to_owned()), &places.to()).await;
    assert!(matches!(&error, StoreError::NoData { .. }), "{error}");
    // None of these copies began.
    places.open(&places.file).await;
}

#[tokio::test]
async fn an_unfinished_copy_is_not_used() {
    let places = Places::new();
    places.fill(Vec::new()).await;
    let from = places.from().place();
    let store = places.server.open().await;
    let mark = format!("INSERT INTO relocation VALUES (1, 'Filling', '{from}', 0)");
    places.postgres().ask(&mark);
    let words = store.endpoints().insert(endpoint("Old"), None).await.unwrap_err().to_string();
    assert!(
        words.contains(&format!("is an unfinished copy of {from}: run `mailhaul database copy` again")),
        "{words}"
    );
    let error = Store::connect(&places.server.address()).await.err().unwrap();
    assert!(matches!(error, StoreError::Filling { .. }), "{error}");
    // Neither is it a source, nor the target of another one.
    let error = refused(&places.to(), &places.back()).await;
    assert!(matches!(error, StoreError::Filling { .. }), "{error}");
    let other = Places::new();
    other.fill(Vec::new()).await;
    let error = refused(&other.from(), &places.to()).await;
    assert!(matches!(error, StoreError::Filling { .. }), "{error}");
    run(&places.from(), &places.to()).await;
    store.endpoints().insert(endpoint("Late"), None).await.unwrap();
}

#[tokio::test]
async fn neither_side_may_be_in_use() {
    let places = Places::new();
    places.fill(Vec::new()).await;
    let store = places.open(&places.file).await;
    let lock = store.lock_service().unwrap();
    assert!(matches!(refused(&places.from(), &places.to()).await, StoreError::ServiceRuns { .. }));
    drop(lock);
    let pass = store.ledgers().mailbox("a", "b").await.unwrap();
    assert!(matches!(refused(&places.from(), &places.to()).await, StoreError::MailboxRuns { .. }));
    drop(pass);
    store.close().await;
    let server = places.server.open().await;
    let lock = server.nodes().take_service(node()).await.unwrap();
    let error = refused(&places.from(), &places.to()).await;
    assert!(error.to_string().contains("another mailhaul serve (node "), "{error}");
    let error = refused(&places.to(), &places.back()).await;
    assert!(matches!(error, StoreError::ServiceRuns { .. }), "{error}");
    server.nodes().end(lock.owner()).await.unwrap();
    run(&places.from(), &places.to()).await;
}

#[tokio::test]
async fn rows_that_a_server_cannot_hold_are_listed_before_anything_is_written() {
    let places = Places::new();
    places.fill(Vec::new()).await;
    let store = places.open(&places.file).await;
    let source = store.endpoints().insert(endpoint("Other"), None).await.unwrap();
    store.batches().insert(batch("Archived", &source, BatchIntent::Created), Vec::new()).await.unwrap();
    let known = store.ledgers().mailbox("a", "b").await.unwrap();
    let long = "x".repeat(3_000);
    known.record(&[opened("a\0b"), opened(&long), done(&long, 1)]).await.unwrap();
    drop(known);
    store.close().await;
    let StoreError::CannotHold { rows, .. } = refused(&places.from(), &places.to()).await else { panic!() };
    let of_folder = rows[1..].iter().map(|row| row.split_once(": ").unwrap().1);
    let expected = [
        "source holds NUL, which PostgreSQL refuses in a text",
        "target holds NUL, which PostgreSQL refuses in a text",
        "source has more than 2600 bytes",
    ];
    assert!(rows[0].starts_with("batch \"Archived\": it migrates into the archive"), "{rows:?}");
    assert_eq!(of_folder.collect::<Vec<_>>(), expected);
    let marks = places.postgres().ask("SELECT count(*) FROM relocation; SELECT count(*) FROM endpoint");
    assert_eq!(marks, "0\n0");
    // A directory holds them.
    run(&places.from(), &places.back()).await;
    places.open(&places.back).await;
}

#[tokio::test]
async fn a_name_that_only_a_server_can_hold_is_listed() {
    let places = Places::new();
    let store = places.server.open().await;
    let known = store.ledgers().mailbox("a", "b").await.unwrap();
    // The second one has a backslash.
    known.record(&[opened("a\0b"), opened("a\\\\0b")]).await.unwrap();
    drop(known);
    store.close().await;
    let StoreError::CannotHold { rows, .. } = refused(&places.to(), &places.back()).await else { panic!() };
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].starts_with("folder \"a\\0b\": "), "{rows:?}");
}
