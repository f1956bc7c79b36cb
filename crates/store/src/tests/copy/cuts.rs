//! Copies that end in the middle.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{Home, Places, dump, filled, ledgers, run};
use crate::{StoreError, copy, db::sql};

/// Ends a copy after this number of reports; true if it was finished before.
async fn cut(from: &Home, to: &Home, after: usize) -> bool {
    let (reports, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let seen = Arc::clone(&reached);
    let count = move |_: crate::CopyProgress<'_>| {
        if reports.fetch_add(1, Ordering::Relaxed) + 1 == after {
            seen.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => false,
        done = copy(from, to, count) => {
            done.unwrap();
            true
        }
    }
}

/// Cuts the copy in each table and in the middle of the largest one, then lets it end.
async fn cut_everywhere(from: &Home, to: &Home) {
    let mut after = 1;
    while !cut(from, to, after).await {
        after += 3;
    }
    // Each table, copied and compared.
    assert!(after > 30, "{after}");
}

#[tokio::test]
async fn a_copy_goes_on_where_it_was_cut() {
    let places = Places::new();
    places.fill(ledgers(2)).await;
    let store = places.open(&places.file).await;
    filled::many(&store).await;
    let filled = dump(&store).await;
    store.close().await;
    cut_everywhere(&places.from(), &places.to()).await;
    let store = places.server.open().await;
    assert_eq!(dump(&store).await, filled);
    store.close().await;
    cut_everywhere(&places.to(), &places.back()).await;
    assert_eq!(dump(&places.open(&places.back).await).await, filled);
}

/// The first run ended after the mark of the source and before the end of the target's.
#[tokio::test]
async fn the_last_step_is_repeated() {
    let places = Places::new();
    let filled = places.fill(ledgers(1)).await;
    run(&places.from(), &places.to()).await;
    let from = places.from().place();
    places.postgres().ask(&format!("INSERT INTO relocation VALUES (1, 'Filling', '{from}', 0)"));
    let report = run(&places.from(), &places.to()).await;
    assert_eq!(report.tables, []);
    let store = places.server.open().await;
    assert_eq!(dump(&store).await, filled);
}

#[tokio::test]
async fn a_source_that_changed_after_a_cut_is_not_moved() {
    let places = Places::new();
    places.fill(ledgers(1)).await;
    // All is copied, and not yet compared.
    assert!(!cut(&places.from(), &places.to(), 18).await);
    let store = places.open(&places.file).await;
    let change = store.change(|connection| {
        Box::pin(async move {
            sql::query("UPDATE mailbox SET folders = folders + 1 WHERE id = 1").execute(connection).await?;
            Ok(())
        })
    });
    change.await.unwrap();
    store.close().await;
    let error = copy(&places.from(), &places.to(), |_| {}).await.unwrap_err();
    assert!(matches!(&error, StoreError::Differs { table, .. } if table == "mailbox"), "{error}");
    places.open(&places.file).await;
}
