//! Arrivals: the way of recent messages is recorded with their copies, once, also after a crash.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use mailhaul_engine::{Arrival, ArrivalRules, PassOptions};
use mailhaul_mail::{Deliverer, HostSet, KnownHosts, Via};
use support::{Crash, MemoryLedger, Remote, pass};

/// Seconds since 1970 at which [`add_at`](support::Folder::add_at) begins.
const BEGIN: i64 = 1_600_000_000;

fn options(since: i64) -> PassOptions {
    let source = HostSet { names: vec!["mx.old.example".to_owned()], addresses: Vec::new() };
    let known = KnownHosts { source, target: HostSet::default() };
    PassOptions { arrivals: Some(ArrivalRules { known, since: BEGIN + since }), ..PassOptions::default() }
}

fn from(host: &str) -> String {
    format!(
        "Received: from mx.old.example ([127.0.0.1]) by imap.old.example with LMTP; now\r\n\
         Received: from {host} ({host} [203.0.113.7])\r\n\tby mx.old.example; now\r\n\
         Message-ID: <{host}@example>\r\n\r\nmail of {host}\r\n"
    )
}

fn shown(arrivals: &[Arrival]) -> Vec<String> {
    let word = |arrival: &Arrival| match &arrival.via {
        Via::External(Deliverer { name, .. }) => name.clone().unwrap_or_else(|| "unknown".to_owned()),
        other => format!("{other:?}"),
    };
    arrivals.iter().map(|arrival| format!("{} {}", arrival.at - BEGIN, word(arrival))).collect()
}

/// Three recent messages, and one that is too old.
fn filled() -> Remote {
    let source = Remote::default();
    let mut server = source.server();
    let inbox = server.folder("INBOX");
    inbox.add_at(10, "", &from("old.example"));
    inbox.add_at(100, "", &from("a.example"));
    inbox.add_at(
        101,
        "",
        "Received: by mx.old.example (Postfix, from userid 33); now\r\nMessage-ID: <1@x>\r\n\r\nform\r\n",
    );
    server.folder("Sent").add_at(102, "", "Message-ID: <2@x>\r\n\r\nsaved\r\n");
    drop(server);
    source
}

#[tokio::test]
async fn recent_messages_are_recorded_with_their_way() {
    let (source, target, ledger) = (filled(), Remote::default(), MemoryLedger::default());
    assert!(pass(&source, &target, &ledger, &options(50)).await.is_synced());
    assert_eq!(shown(&ledger.arrivals()), ["100 a.example", "101 Internal", "102 Saved"]);
    // A pass that copies nothing records nothing, and a message is recorded once.
    assert!(pass(&source, &target, &ledger, &options(50)).await.is_synced());
    source.server().folder("INBOX").add_at(200, "", &from("b.example"));
    let report = pass(&source, &target, &ledger, &options(50)).await;
    assert_eq!(report.total(|tally| tally.copied), 1);
    assert_eq!(shown(&ledger.arrivals())[3..], ["200 b.example"]);
    assert_eq!(source.contents(), target.contents());
}

#[tokio::test]
async fn without_rules_nothing_is_recorded() {
    let (source, target, ledger) = (filled(), Remote::default(), MemoryLedger::default());
    assert!(pass(&source, &target, &ledger, &PassOptions::default()).await.is_synced());
    assert_eq!(ledger.arrivals(), []);
}

/// A message that the user moves arrives once.
#[tokio::test]
async fn a_moved_message_does_not_arrive_again() {
    let (source, target, ledger) = (filled(), Remote::default(), MemoryLedger::default());
    source.server().folder("Archive");
    assert!(pass(&source, &target, &ledger, &options(50)).await.is_synced());
    let before = ledger.arrivals();
    let moved = source.server().folder("INBOX").expunge(2).unwrap();
    source.server().folder("Archive").take(moved);
    assert!(pass(&source, &target, &ledger, &options(50)).await.is_synced());
    assert_eq!(ledger.arrivals(), before);
}

/// After a crash at each step of the ledger, each recent message has arrived: with its way, or without it.
#[tokio::test]
async fn a_crash_loses_no_arrival() {
    let (source, target, whole) = (filled(), Remote::default(), MemoryLedger::default());
    assert!(pass(&source, &target, &whole, &options(50)).await.is_synced());
    let mut unknown = 0;
    for call in 1..=whole.calls() {
        for crash in [Crash::Before(call), Crash::After(call)] {
            let (source, target, ledger) = (filled(), Remote::default(), MemoryLedger::default());
            _ = pass(&source, &target, &ledger.crashing(Some(crash)), &options(50)).await;
            assert!(pass(&source, &target, &ledger, &options(50)).await.is_synced(), "{crash:?}");
            assert_eq!(source.contents(), target.contents(), "{crash:?}");
            let arrivals = shown(&ledger.arrivals());
            let times: Vec<&str> = arrivals.iter().filter_map(|it| it.split(' ').next()).collect();
            assert_eq!(times, ["100", "101", "102"], "{crash:?}");
            unknown += arrivals.iter().filter(|it| it.ends_with("unknown")).count();
        }
    }
    // The target has copies whose acknowledgement was lost in the crash.
    assert!(unknown > 0);
}
