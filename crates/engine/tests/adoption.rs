//! Targets that hold mail already: existing messages are not copied again, and similar ones do not count as equal.

#![allow(clippy::unwrap_used, clippy::large_futures, reason = "tests")]

mod support;

use mailhaul_engine::{DeletionPolicy, PassOptions, Report};
use support::{CONFIRMED, MemoryLedger, Remote, pass};

fn body(number: u32, text: &str) -> String {
    format!("Message-ID: <{number}@x>\r\nSubject: message {number}.\r\n\r\n{text} {number}\r\n")
}

/// A folder with this number of messages, whose dates of arrival begin at this second.
fn filled(count: u32, second: u32) -> Remote {
    let remote = Remote::default();
    for number in 1..=count {
        remote.server().folder("INBOX").add_at(second + number, "\\Seen", &body(number, "quick"));
    }
    remote
}

async fn run(source: &Remote, target: &Remote, ledger: &MemoryLedger, options: &PassOptions) -> Report {
    let report = pass(source, target, ledger, options).await;
    assert!(report.is_synced(), "{report:#?}");
    report
}

fn has(remote: &Remote, text: &str) -> bool {
    remote.contents()["INBOX"].iter().any(|(body, ..)| body.contains(text))
}

#[tokio::test]
async fn copies_of_others_with_kept_dates_are_adopted_without_bodies() {
    let options = PassOptions::default();
    for (second, compared) in [(0, 0), (1_000, 3_000)] {
        let (source, target) = (filled(3_000, 0), filled(3_000, second));
        let report = run(&source, &target, &MemoryLedger::default(), &options).await;
        assert_eq!((report.total(|it| it.copied), report.total(|it| it.already)), (0, 3_000));
        assert_eq!((source.server().compared, target.server().compared), (compared, compared));
    }
}

#[tokio::test]
async fn another_version_of_the_same_size_is_not_taken_for_the_message() {
    let (source, target, ledger) = (filled(9, 0), Remote::default(), MemoryLedger::default());
    target.server().folder("INBOX").add_at(77, "", &body(5, "other"));
    for copied in [9, 0] {
        let report = run(&source, &target, &ledger, &PassOptions::default()).await;
        assert_eq!(report.total(|it| it.copied), copied);
        assert_eq!(target.contents()["INBOX"].len(), 10);
    }
}

#[tokio::test]
async fn another_version_is_not_taken_for_the_copy_after_renumbering() {
    let (source, target, ledger) = (filled(9, 0), Remote::default(), MemoryLedger::default());
    let options =
        PassOptions { deletions: DeletionPolicy::Mirror, removals: CONFIRMED, ..PassOptions::default() };
    run(&source, &target, &ledger, &options).await;
    {
        let mut server = target.server();
        let inbox = server.folder("INBOX");
        inbox.expunge(5);
        inbox.add_at(77, "", &body(5, "other"));
        inbox.renumber();
    }
    source.server().folder("INBOX").expunge(5);
    source.server().folder("INBOX").add_at(90, "", &body(90, "quick"));
    run(&source, &target, &ledger, &options).await;
    assert!(has(&target, "other 5") && has(&target, "quick 90") && !has(&target, "quick 5\r"));
    assert_eq!(target.contents()["INBOX"].len(), 10);
}

/// A copy that the user replaced by another version, with any numbers and dates.
#[tokio::test]
async fn a_version_of_the_user_is_not_removed_in_place_of_the_copy() {
    for is_renumbered in [true, false] {
        let (source, target, ledger) = (filled(9, 0), Remote::default(), MemoryLedger::default());
        let options =
            PassOptions { deletions: DeletionPolicy::Mirror, removals: CONFIRMED, ..PassOptions::default() };
        run(&source, &target, &ledger, &options).await;
        {
            let mut server = target.server();
            let inbox = server.folder("INBOX");
            inbox.messages.get_mut(&5).unwrap().body = body(5, "other").into();
            if is_renumbered {
                inbox.renumber();
            }
        }
        for gone in [5, 6] {
            source.server().folder("INBOX").expunge(gone);
        }
        let report = run(&source, &target, &ledger, &options).await;
        assert_eq!(report.total(|it| it.removed), 1, "{report:#?}");
        assert!(has(&target, "other 5") && !has(&target, "quick 6"));
        let notes: Vec<String> = report.folders.iter().flat_map(|it| it.tally.notes()).collect();
        assert!(notes.iter().any(|it| it.contains("and another text")), "{notes:?}");
    }
}

#[tokio::test]
async fn deletions_are_mirrored_even_if_the_target_rewrites_texts() {
    let (source, target, ledger) = (filled(9, 0), Remote::default(), MemoryLedger::default());
    let options =
        PassOptions { deletions: DeletionPolicy::Mirror, removals: CONFIRMED, ..PassOptions::default() };
    target.server().lies.stores =
        Some(|body| String::from_utf8_lossy(body).replace("quick", "very quick").into());
    run(&source, &target, &ledger, &options).await;
    source.server().folder("INBOX").expunge(5);
    let report = run(&source, &target, &ledger, &options).await;
    assert_eq!((report.total(|it| it.removed), target.contents()["INBOX"].len()), (1, 8), "{report:#?}");
}

#[tokio::test]
async fn bytes_decide_if_the_source_returns_other_headers() {
    let (source, target) = (filled(9, 0), Remote::default());
    source.server().lies.gives_headers_of_next = true;
    let options = PassOptions::default();
    run(&source, &target, &MemoryLedger::default(), &options).await;
    source.server().folder("INBOX").set_flags(3, "\\Flagged");
    let report = run(&source, &target, &MemoryLedger::default(), &options).await;
    assert_eq!(report.total(|it| it.copied), 0);
    let flagged =
        |(body, flags, _): &&(String, String, String)| flags.contains("Flagged") && body.contains("quick 3");
    let contents = target.contents();
    assert_eq!((contents["INBOX"].len(), contents["INBOX"].iter().filter(flagged).count()), (9, 1));
}
