//! Two simultaneous passes into one target mailbox that they know by two names of its server.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../engine/tests/support/mod.rs"]
mod memory;

use std::time::Duration;

use mailhaul_engine::{
    Budget, ErrorKind, Ledger as _, Pass, PassLimits, PassOptions, Report, Slots, Target as _,
};
use mailhaul_mail::Retry;
use mailhaul_store::Store;
use memory::{Listener, NoTime, Remote, pass};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

async fn run(store: &Store, source: &Remote, target: &Remote, name: &str) -> Report {
    let ledger = store.ledgers().mailbox("terry@old.example", &format!("terry@{name}")).await.unwrap();
    pass(source, target, &ledger, &PassOptions::default()).await
}

/// In the service, other mailboxes use the slot of one that waits.
#[tokio::test]
async fn a_pass_that_is_taken_up_again_does_not_wait() {
    let (data, mut source, mut target) = (TempDir::new().unwrap(), Remote::default(), Remote::default());
    source.server().folder("INBOX").add("", "Message-ID: <1@example.net>\r\n\r\nBody\r\n");
    let store = Store::open(data.path()).await.unwrap();
    let first = store.ledgers().mailbox("terry@old.example", "terry@localhost:143").await.unwrap();
    first.reserve_target(&target.owner()).await.unwrap();
    let second = store.ledgers().mailbox("terry@old.example", "terry@127.0.0.1:143").await.unwrap();
    let pass = Pass {
        source: &mut source,
        target: &mut target,
        ledger: &second,
        progress: &Listener::default(),
        clock: &NoTime,
        budget: &Budget::new(100),
        slots: &Slots::new(1),
        stop: &CancellationToken::new(),
        limits: &PassLimits { is_resumed: true, ..PassLimits::default() },
        options: &PassOptions::default(),
    };
    let error = pass.run().await.error.unwrap();
    assert_eq!((error.kind, error.retry), (ErrorKind::Ledger, Retry::After(Some(Duration::from_secs(10)))));
    assert!(
        error.message.starts_with("another mailhaul pass fills the target mailbox of memory now"),
        "{error}"
    );
    assert!(target.contents().values().all(Vec::is_empty));
    // A user with another name does not wait.
    second.reserve_target("anna").await.unwrap();
    drop(first);
    second.reserve_target(&target.owner()).await.unwrap();
}

#[tokio::test]
async fn the_second_pass_waits_and_finds_what_the_first_one_sent() {
    let (data, source, target) = (TempDir::new().unwrap(), Remote::default(), Remote::default());
    let store = Store::open(data.path()).await.unwrap();
    for round in 0..3 {
        for number in 0..50 {
            let text = format!("Message-ID: <{round}-{number}@example.net>\r\n\r\nBody {number}\r\n");
            source.server().folder("INBOX").add("", &text);
            source.server().folder("Sent").add("\\Seen", &text);
        }
        let (one, other) = tokio::join!(
            run(&store, &source, &target, "localhost:143"),
            run(&store, &source, &target, "127.0.0.1:143")
        );
        assert!(one.is_synced() && other.is_synced(), "{one:#?} {other:#?}");
        assert_eq!(one.total(|tally| tally.copied) + other.total(|tally| tally.copied), 100);
        assert_eq!(source.contents(), target.contents());
    }
}
