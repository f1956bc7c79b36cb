//! A restored ledger of some days ago: copies that were made since are on the target without a record.
//!
//! No message is doubled, even if the target rewrote it, and new mail arrives.

#![allow(clippy::unwrap_used, clippy::large_futures, reason = "tests")]

mod support;

use mailhaul_engine::{PassOptions, Report};
use support::{MemoryLedger, Remote, is_malformed, pass, with_repairs};

fn add(remote: &Remote, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let body = format!("Message-ID: <{number}@x>\r\nSubject: message {number}.\r\n\r\ntext {number}\r\n");
        remote.server().folder("INBOX").add_at(number, "\\Seen", &body);
    }
}

fn count(remote: &Remote) -> usize {
    remote.contents()["INBOX"].len()
}

fn with_another_text(body: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(body).replace("text", "changed text").into_bytes()
}

/// Copies twenty messages, then `since`, and restores the ledger of before. Then `fresh` comes, and two passes follow.
async fn restored(
    target: &Remote,
    options: &PassOptions,
    since: impl Fn(&Remote),
    fresh: impl Fn(&Remote, &Remote),
) -> [Report; 2] {
    let (source, ledger) = (Remote::default(), MemoryLedger::default());
    add(&source, 1..=20);
    let report = pass(&source, target, &ledger, options).await;
    assert_eq!(report.total(|it| it.copied), 20, "{report:#?}");
    let older = ledger.backup();
    since(&source);
    let report = pass(&source, target, &ledger, options).await;
    assert!(report.is_synced() && report.total(|it| it.copied) > 0, "{report:#?}");
    fresh(&source, target);
    let first = pass(&source, target, &older, options).await;
    [first, pass(&source, target, &older, options).await]
}

fn copied(reports: &[Report; 2]) -> [u64; 2] {
    reports.each_ref().map(|it| {
        assert!(it.is_synced(), "{it:#?}");
        it.total(|it| it.copied)
    })
}

#[tokio::test]
async fn edited_copies_are_recognised() {
    let target = Remote::default();
    target.server().refuses = Some(is_malformed);
    let since = |source: &Remote| {
        for number in 0..5 {
            source.server().folder("INBOX").add("", &format!("Subject: {number}\r\n\r\nx\0y {number}\r\n"));
        }
    };
    let options = with_repairs(PassOptions::default());
    let reports = restored(&target, &options, since, |source, _| add(source, 40..=40)).await;
    assert_eq!((copied(&reports), count(&target)), ([1, 0], 26));
}

#[tokio::test]
async fn copies_that_the_target_rewrote_are_recognised() {
    // IDs, texts, dates.
    for (ids, texts, dates) in [(true, false, false), (false, true, false), (false, true, true)] {
        let target = Remote::default();
        {
            let lies = &mut target.server().lies;
            lies.rewrites_ids = ids;
            lies.stores = texts.then_some(with_another_text);
            lies.redates = dates.then_some(7);
        }
        let options = PassOptions::default();
        let reports =
            restored(&target, &options, |it| add(it, 21..=30), |source, _| add(source, 40..=41)).await;
        assert_eq!((copied(&reports), count(&target)), ([2, 0], 32), "{ids} {texts} {dates}");
    }
}

/// Mail that others deliver to both servers during the first transfer to an honest target.
#[tokio::test]
async fn new_mail_arrives_beside_other_mail_of_the_same_second() {
    let target = Remote::default();
    let fresh = |source: &Remote, target: &Remote| {
        add(source, 40..=41);
        for (number, body) in
            [(40, "Subject: other\r\n\r\nx\r\n"), (41, "Message-ID: <41@x>\r\n\r\nother\r\n")]
        {
            target.server().folder("INBOX").add_at(number, "", body);
        }
    };
    let reports = restored(&target, &PassOptions::default(), |it| add(it, 21..=30), fresh).await;
    assert_eq!((copied(&reports), count(&target)), ([2, 0], 34));
}

#[tokio::test]
async fn unclear_messages_are_skipped_and_named_in_every_pass() {
    let target = Remote::default();
    target.server().lies.stores = Some(with_another_text);
    let since = |source: &Remote| {
        for number in [21, 22] {
            let body = format!("Message-ID: <twin@x>\r\n\r\ntext {number}\r\n");
            source.server().folder("INBOX").add_at(21, "", &body);
        }
    };
    // One of the two copies is not there any more.
    let fresh = |_: &Remote, target: &Remote| drop(target.server().folder("INBOX").expunge(22));
    let reports = restored(&target, &PassOptions::default(), since, fresh).await;
    assert_eq!((copied(&reports), count(&target)), ([0, 0], 21));
    for report in reports {
        let reasons: Vec<&str> = report.skipped().map(|(_, it)| it.reason.as_str()).collect();
        assert_eq!(reasons.len(), 2, "{report:#?}");
        assert!(reasons.iter().all(|it| it.contains("a copy of this message may be among them")));
    }
}
