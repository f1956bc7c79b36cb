//! Two passes at once into one target mailbox that they know by two names of its server.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../engine/tests/support/mod.rs"]
mod memory;

use mailhaul_engine::{PassOptions, Report};
use mailhaul_store::Store;
use memory::{Remote, pass};
use tempfile::TempDir;

async fn run(store: &Store, source: &Remote, target: &Remote, name: &str) -> Report {
    let ledger = store.mailbox("terry@old.example", &format!("terry@{name}")).await.unwrap();
    pass(source, target, &ledger, &PassOptions::default()).await
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
