//! Targets that act against their answers: no message is lost or doubled, and missing messages are named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::large_futures, reason = "tests")]

mod support;

use mailhaul_engine::{Error, ErrorKind, PassOptions, Report};
use mailhaul_mail::{Retry, Scope};
use support::{MemoryLedger, Remote, Rewrite, pass};

/// A source with this number of messages in INBOX.
fn source(messages: u32) -> Remote {
    let source = Remote::default();
    for number in 1..=messages {
        let body = format!("Message-ID: <{number}@x>\r\nSubject: message {number}.\r\n\r\ntext {number}\r\n");
        source.server().folder("INBOX").add("\\Seen work", &body);
    }
    source
}

async fn run(source: &Remote, target: &Remote, ledger: &MemoryLedger) -> Report {
    Box::pin(pass(source, target, ledger, &PassOptions::default())).await
}

fn bodies(remote: &Remote) -> Vec<String> {
    remote.contents().remove("INBOX").unwrap_or_default().into_iter().map(|(body, ..)| body).collect()
}

fn skipped(report: &Report) -> Vec<String> {
    report.skipped().map(|(folder, item)| format!("{folder} {} {}", item.uid, item.reason)).collect()
}

/// Targets with and without UIDs in their answers.
fn targets() -> [Remote; 2] {
    let targets = [Remote::default(), Remote::default()];
    targets[1].server().tells_no_uids = true;
    targets
}

#[tokio::test]
async fn a_message_that_is_accepted_and_not_stored_is_sent_once_more() {
    for target in targets() {
        let (source, ledger) = (source(5), MemoryLedger::default());
        target.server().lies.drops = vec!["message 2.", "message 5."];
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!((skipped(&report), report.total(|it| it.copied)), (vec![], 5));
        assert_eq!(bodies(&target), bodies(&source));
        assert_eq!(target.server().lies.offered, 7);
    }
}

#[tokio::test]
async fn a_message_that_is_never_stored_is_named_in_every_pass() {
    for target in targets() {
        let (source, ledger) = (source(5), MemoryLedger::default());
        target.server().lies.always_drops = Some("message 2.");
        for pass in 1..=2 {
            let report = run(&source, &target, &ledger).await;
            assert!(report.is_synced(), "{report:#?}");
            let words = "INBOX 2 the target accepted this message (OK) and does not store it";
            assert_eq!(skipped(&report), [words], "pass {pass}");
            assert_eq!(bodies(&target).len(), 4, "pass {pass}");
        }
    }
}

#[tokio::test]
async fn messages_lost_before_a_crash_are_found_after_it() {
    let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
    target.server().lies.drops = vec!["message 2."];
    target.server().loses_answer_after = Some(0);
    let report = run(&source, &target, &ledger).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!(bodies(&target), bodies(&source));
}

/// Its copy belongs to the first of the two, and the second one was never sent.
#[tokio::test]
async fn an_acknowledged_copy_is_not_taken_for_an_identical_one() {
    for target in targets() {
        let (source, ledger) = (Remote::default(), MemoryLedger::default());
        for _ in 0..2 {
            source.server().folder("INBOX").add("\\Seen", "Message-ID: <1@x>\r\n\r\ntwins\r\n");
        }
        target.server().ends_after = Some(1);
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!((bodies(&target).len(), report.total(|it| it.copied)), (2, 2));
    }
}

#[tokio::test]
async fn messages_accepted_and_not_stored_are_found_after_a_break() {
    for target in targets() {
        let (source, ledger) = (source(3), MemoryLedger::default());
        target.server().lies.drops = vec!["message 1."];
        target.server().ends_after = Some(2);
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        let mut stored = bodies(&target);
        stored.sort();
        assert_eq!((stored, report.total(|it| it.copied)), (bodies(&source), 3));
    }
}

#[tokio::test]
async fn a_message_that_is_stored_and_refused_is_not_sent_again() {
    for target in targets() {
        let (source, ledger) = (source(20), MemoryLedger::default());
        target.server().lies.stores_refused = vec!["message 7."];
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!(skipped(&report), Vec::<String>::new());
        assert_eq!(bodies(&target), bodies(&source));
        run(&source, &target, &ledger).await;
        assert_eq!(bodies(&target), bodies(&source));
    }
}

#[tokio::test]
async fn a_uid_of_another_message_is_not_believed() {
    for told in [1, 4] {
        let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
        for stranger in ["one", "two"] {
            let body = format!("Message-ID: <{stranger}@y>\r\n\r\nof the user\r\n");
            target.server().folder("INBOX").add("", &body);
        }
        target.server().lies.tells_uid = Some(told);
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!((skipped(&report), bodies(&target).len()), (vec![], 7));
        let contents = target.contents();
        let flagged = contents["INBOX"].iter().filter(|(_, flags, _)| flags.contains("Seen")).count();
        assert_eq!(flagged, 5, "only the copies have flags");
        run(&source, &target, &ledger).await;
        assert_eq!(bodies(&target).len(), 7);
    }
}

#[tokio::test]
async fn changes_by_the_target_are_counted_and_flags_are_set() {
    let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
    {
        let lies = &mut target.server().lies;
        (lies.adds, lies.drops_flags, lies.redates) = (Some("\r\n"), true, Some(7));
    }
    let report = run(&source, &target, &ledger).await;
    assert!(report.is_synced(), "{report:#?}");
    let notes: Vec<String> = report.folders.iter().flat_map(|it| it.tally.notes()).collect();
    assert_eq!(
        notes,
        [
            "5 messages were rewritten by the target server (it stores another size or header)",
            "5 messages were stored by the target server with another date of arrival"
        ]
    );
    assert!(target.contents()["INBOX"].iter().all(|(_, flags, _)| flags == "\\Seen work"));
    let again = run(&source, &target, &ledger).await;
    assert_eq!(again.total(|it| it.copied + it.flags_changed), 0);
}

#[tokio::test]
async fn a_busy_answer_to_one_message_skips_it_if_others_pass() {
    for bad in [vec!["message 3."], vec!["message 5."], vec!["message 1.", "message 4."]] {
        let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
        target.server().lies.busy_at.clone_from(&bad);
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{bad:?}: {report:#?}");
        assert_eq!(skipped(&report).len(), bad.len(), "{bad:?}");
        assert!(skipped(&report).iter().all(|it| it.ends_with("NO try again later")));
        assert_eq!(bodies(&target).len(), 5 - bad.len());
        assert_eq!(report.error, None);
    }
}

/// Answers about a folder, a mailbox and a login, as content filters give them to one message.
fn wider_answers() -> [Error; 4] {
    let answer = |scope, kind, words| Error::new(scope, Retry::Never, kind, words);
    [
        answer(Scope::Folder, ErrorKind::Refused, "NO [NOPERM] not allowed"),
        answer(Scope::Endpoint, ErrorKind::Quota, "NO [OVERQUOTA] full"),
        answer(Scope::Endpoint, ErrorKind::Authentication, "NO [EXPIRED] no"),
        answer(Scope::Mailbox, ErrorKind::Authentication, "NO [AUTHORIZATIONFAILED] no"),
    ]
}

#[tokio::test]
async fn an_answer_about_a_mailbox_to_one_message_blocks_no_other() {
    for answer in wider_answers() {
        for bad in [&["message 7."][..], &["message 300."], &["message 1.", "message 5.", "message 299."]] {
            let (source, target, ledger) = (source(300), Remote::default(), MemoryLedger::default());
            source.server().folder("Work").add("", "Subject: other\r\n\r\nx\r\n");
            target.server().lies.answers_at = bad.iter().map(|text| (*text, answer.clone())).collect();
            for pass in 1..=2 {
                let report = run(&source, &target, &ledger).await;
                assert!(report.is_synced(), "{answer} at {bad:?} in pass {pass}: {report:#?}");
                assert_eq!(skipped(&report).len(), bad.len());
                assert!(skipped(&report).iter().all(|it| it.contains(&answer.message)));
                assert_eq!(bodies(&target).len(), 300 - bad.len());
                assert_eq!(target.contents()["Work"].len(), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_mailbox_answer_to_every_message_is_believed_after_a_few() {
    for answer in wider_answers() {
        let (source, target, ledger) = (source(500), Remote::default(), MemoryLedger::default());
        target.server().lies.answers_at = vec![("text", answer.clone())];
        let report = run(&source, &target, &ledger).await;
        let errors = report.folders.iter().filter_map(|it| it.error.as_ref()).chain(report.error.as_ref());
        assert!(errors.into_iter().any(|it| it.message.contains(&answer.message)), "{report:#?}");
        let offered = target.server().lies.offered;
        // One command, and its halves down to three single messages.
        assert!(offered < 1_100, "{answer}: {offered}");
    }
}

#[tokio::test]
async fn a_server_that_accepts_no_message_is_not_waited_for_forever() {
    let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
    target.server().lies.busy_at = vec!["message"];
    let report = run(&source, &target, &ledger).await;
    let error = report.error.clone().expect("it says why it ended");
    assert!(error.message.contains("try again later"), "{error}");
    assert_eq!((skipped(&report), bodies(&target).len()), (vec![], 0));
}

#[tokio::test]
async fn fifty_equal_refusals_end_a_folder_and_the_next_at_once() {
    let (source, target, ledger) = (source(80), Remote::default(), MemoryLedger::default());
    for number in 1..=80 {
        source.server().folder("Old").add("", &format!("Subject: old {number}\r\n\r\nx\r\n"));
    }
    target.server().lies.refuses_all = Some("NO no room, call 0800 1234");
    let report = run(&source, &target, &ledger).await;
    assert!(!report.is_synced());
    let errors: Vec<String> =
        report.folders.iter().filter_map(|it| it.error.as_ref()).map(ToString::to_string).collect();
    assert_eq!(errors.len(), 2, "{report:#?}");
    assert!(errors.iter().all(|it| it.contains("no room, call 0800 1234")), "{errors:?}");
}

#[tokio::test]
async fn the_order_of_the_source_holds_after_any_refusal() {
    fn is_bad(body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        ["message 3.", "message 57.", "message 199."].iter().any(|it| text.contains(it))
    }
    let (source, target, ledger) = (source(250), Remote::default(), MemoryLedger::default());
    target.server().refuses = Some(is_bad);
    let report = run(&source, &target, &ledger).await;
    assert_eq!(skipped(&report).len(), 3);
    let arrived: Vec<u32> = target
        .server()
        .folders
        .values()
        .next()
        .unwrap()
        .messages
        .values()
        .map(|it| {
            let text = String::from_utf8_lossy(&it.body).into_owned();
            text.split("message ").nth(1).unwrap().split('.').next().unwrap().parse().unwrap()
        })
        .collect();
    assert!(arrived.is_sorted(), "{arrived:?}");
}

#[tokio::test]
async fn a_uid_that_another_message_uses_again_is_detected() {
    // All have the same size; the new message has another date, or another size.
    for new in ["E", "E, larger"] {
        let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
        let body = |name: &str| format!("Message-ID: <{name}@x>\r\n\r\ntext\r\n");
        for name in ["A", "B", "C", "D"] {
            source.server().folder("INBOX").add_at(7, "", &body(name));
        }
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced());
        source.server().folder("INBOX").shift();
        source.server().folder("INBOX").add_at(if new == "E" { 8 } else { 7 }, "", &body(new));
        source.server().folder("INBOX").add_at(9, "", &body("F"));
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        let mut expected = ["A", "B", "C", "D", new, "F"].map(body);
        expected.sort();
        assert_eq!(bodies(&target), expected, "{new}");
        let again = run(&source, &target, &ledger).await;
        assert_eq!(again.total(|it| it.copied), 0);
    }
}

#[tokio::test]
async fn a_message_that_differs_in_one_header_is_not_taken_for_a_move() {
    let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
    let body = |header: &str| format!("Message-ID: <1@x>\r\n{header}\r\n\r\nthe same text\r\n");
    let uid = source.server().folder("INBOX").add_at(1, "", &body("X-List: one"));
    source.server().folder("Archive");
    run(&source, &target, &ledger).await;
    source.server().folder("INBOX").expunge(uid);
    source.server().folder("Archive").add_at(2, "", &body("X-List: two"));
    let report = run(&source, &target, &ledger).await;
    assert!(report.is_synced(), "{report:#?}");
    assert_eq!(report.total(|it| it.copied), 1);
    assert_eq!(target.contents()["Archive"], source.contents()["Archive"]);
}

#[tokio::test]
async fn a_message_without_known_fields_is_recognised_behind_a_copy() {
    let (source, target, ledger) = (Remote::default(), Remote::default(), MemoryLedger::default());
    for number in 1..=3 {
        let body = format!("X-Fax: {number}\r\n\r\nfax {number}\r\n");
        source.server().folder("INBOX").add("", &body);
        target.server().folder("INBOX").add("", &format!("X-TUID: q{number}\r\n{body}"));
    }
    let report = run(&source, &target, &ledger).await;
    assert_eq!((report.total(|it| it.already), bodies(&target).len()), (3, 3), "{report:#?}");
}

fn half(body: &[u8]) -> Vec<u8> {
    body[..body.len() / 2].to_vec()
}

fn without_the_last_text(body: &[u8]) -> Vec<u8> {
    body[..body.len() - 3].to_vec()
}

fn nothing(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

fn one_changed(body: &[u8]) -> Vec<u8> {
    let mut changed = body.to_vec();
    let last = changed.len() - 4;
    changed[last] ^= 1;
    changed
}

fn one_changed_in_the_third(body: &[u8]) -> Vec<u8> {
    if String::from_utf8_lossy(body).contains("message 3.") { one_changed(body) } else { body.to_vec() }
}

#[tokio::test]
async fn a_copy_with_other_bytes_is_removed_and_its_message_skipped() {
    let changed = "the target stored other bytes than it was sent";
    // If the target returns no UID, a copy is recognised by its header alone.
    let cases: [(Rewrite, usize, &str, bool); 5] = [
        (half, 5, "the target stored 25 of 50 bytes", false),
        (nothing, 5, "the target stored 0 of 50 bytes", false),
        (without_the_last_text, 5, "the target stored 47 of 50 bytes", true),
        (one_changed, 5, changed, true),
        (one_changed_in_the_third, 1, changed, true),
    ];
    for (rewrite, damaged, words, keeps_header) in cases {
        for target in targets().into_iter().take(if keeps_header { 2 } else { 1 }) {
            let (source, ledger) = (source(5), MemoryLedger::default());
            target.server().lies.stores = Some(rewrite);
            for pass in 1..=2 {
                let report = run(&source, &target, &ledger).await;
                assert!(report.is_synced(), "{words}, pass {pass}: {report:#?}");
                let skipped = skipped(&report);
                assert_eq!(skipped.len(), damaged, "{words}, pass {pass}: {skipped:#?}");
                assert!(skipped.iter().all(|it| it.ends_with(words)), "{words}: {skipped:#?}");
                assert_eq!(bodies(&target).len(), 5 - damaged, "{words}, pass {pass}");
            }
            target.server().lies.stores = None;
            let report = run(&source, &target, &ledger).await;
            assert_eq!((skipped(&report), report.total(|it| it.copied)), (vec![], damaged as u64));
            let (mut there, mut wanted) = (bodies(&target), bodies(&source));
            there.sort();
            wanted.sort();
            assert_eq!(there, wanted, "{words}");
        }
    }
}

#[tokio::test]
async fn a_damaged_copy_that_cannot_be_removed_fails_the_folder_in_every_pass() {
    let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
    {
        let lies = &mut target.server().lies;
        (lies.stores, lies.removes_nothing) = (Some(one_changed as Rewrite), true);
    }
    for pass in 1..=3 {
        let report = run(&source, &target, &ledger).await;
        assert!(!report.is_synced(), "pass {pass}: {report:#?}");
        let error = report.folders.iter().find_map(|it| it.error.as_ref()).expect("an error");
        assert!(error.message.contains("the copy cannot be removed: no UIDPLUS"), "{error:?}");
        assert_eq!(bodies(&target).len(), 5, "pass {pass}");
    }
}

#[tokio::test]
async fn a_target_that_stores_messages_twice_fails_the_folder() {
    for target in targets() {
        let (source, ledger) = (source(5), MemoryLedger::default());
        target.server().lies.stores_twice = true;
        let report = run(&source, &target, &ledger).await;
        assert!(!report.is_synced(), "{report:#?}");
        let error = report.folders.iter().find_map(|it| it.error.as_ref()).expect("an error");
        assert!(error.message.contains("shows 5 messages twice"), "{error:?}");
        assert_eq!(bodies(&target).len(), 10);
    }
}

#[tokio::test]
async fn a_server_that_rewrites_headers_only_is_believed() {
    fn with_a_header(body: &[u8]) -> Vec<u8> {
        [b"X-Stored-By: somewhere\r\n", body].concat()
    }
    fn without_the_last_line_end(body: &[u8]) -> Vec<u8> {
        body[..body.len() - 2].to_vec()
    }
    for rewrite in [with_a_header as Rewrite, without_the_last_line_end] {
        let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
        target.server().lies.stores = Some(rewrite);
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!((skipped(&report), bodies(&target).len()), (vec![], 5));
        assert_eq!(report.total(|it| it.rewritten), 5);
    }
}

#[tokio::test]
async fn a_message_with_the_bytes_of_another_one_is_skipped() {
    fn the_second_again(body: &[u8]) -> Vec<u8> {
        String::from_utf8_lossy(body)
            .replace("message 3.", "message 2.")
            .replace("<3@x>", "<2@x>")
            .replace("text 3", "text 2")
            .into_bytes()
    }
    let (source, target, ledger) = (source(5), Remote::default(), MemoryLedger::default());
    source.server().lies.gives = Some(the_second_again);
    for pass in 1..=2 {
        let report = run(&source, &target, &ledger).await;
        assert_eq!(
            skipped(&report),
            ["INBOX 3 the source gave the bytes of another message for it"],
            "pass {pass}: {report:#?}"
        );
        assert_eq!(bodies(&target).len(), 4, "pass {pass}");
    }
}

#[tokio::test]
async fn a_target_that_stores_nothing_gets_three_messages_twice() {
    for target in targets() {
        let (source, ledger) = (source(20), MemoryLedger::default());
        target.server().lies.always_drops = Some("message");
        for (pass, offered) in [(1, 23), (2, 26)] {
            let report = run(&source, &target, &ledger).await;
            assert_eq!(skipped(&report).len(), 20, "pass {pass}");
            assert_eq!(target.server().lies.offered, offered, "pass {pass}");
        }
        target.server().lies.always_drops = None;
        let report = run(&source, &target, &ledger).await;
        assert_eq!((skipped(&report), report.total(|it| it.copied)), (vec![], 20));
        assert_eq!(bodies(&target).len(), 20);
    }
}

#[tokio::test]
async fn flags_that_the_target_adds_are_removed() {
    for target in targets() {
        let (source, ledger) = (source(5), MemoryLedger::default());
        target.server().lies.adds_flags = "\\Deleted \\Recent spam";
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        let contents = target.contents();
        let flags: Vec<&str> = contents["INBOX"].iter().map(|(_, flags, _)| flags.as_str()).collect();
        assert_eq!(flags, ["\\Seen spam work"; 5]);
    }
}

#[tokio::test]
async fn a_new_target_folder_with_the_old_uidvalidity_is_filled_again() {
    for target in targets() {
        let (source, ledger) = (source(5), MemoryLedger::default());
        run(&source, &target, &ledger).await;
        target.server().folder("INBOX").restart();
        source.server().folder("INBOX").add("", "Message-ID: <6@x>\r\n\r\nnew\r\n");
        let report = run(&source, &target, &ledger).await;
        assert!(report.is_synced(), "{report:#?}");
        assert_eq!(bodies(&target).len(), 6);
    }
}
