//! Random mailboxes, edits, crashes and lost answers in any order: in the end the target holds the source's messages,
//! each once.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeMap;

use mailhaul_engine::{PassOptions, Report};
use proptest::prelude::*;
use support::{Crash, MemoryLedger, Remote, as_taken, is_malformed, with_repairs};

const FOLDERS: [&str; 4] = ["INBOX", "Sent", "Archive/2020", "New"];
const FLAGS: [&str; 4] = ["", "\\Seen", "\\Seen work", "\\Flagged later"];

/// An event on the source, or during a pass.
#[derive(Clone, Debug)]
enum Step {
    /// A message of this number arrives; equal numbers are the same message.
    Add { folder: usize, number: u32, flags: usize },
    /// The user changes the flags of one message.
    Flag { folder: usize, which: usize, flags: usize },
    /// The user moves one message.
    Move { folder: usize, which: usize, to: usize },
    /// The user deletes one message.
    Expunge { folder: usize, which: usize },
    /// The server changes the folder's UIDVALIDITY, and the next pass is killed before this durable step.
    Renumber { folder: usize, on_target: bool, crash: u32 },
    /// A pass that is killed before or after this durable step.
    Crash { step: u32, after: bool },
    /// A pass whose target loses one answer.
    LostAnswer { after: u32 },
    /// A complete pass.
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    let folder = 0..FOLDERS.len();
    let flags = 0..FLAGS.len();
    prop_oneof![
        6 => (folder.clone(), 0..12u32, flags.clone()).prop_map(|(folder, number, flags)| Step::Add { folder, number, flags }),
        2 => (folder.clone(), 0..8usize, flags).prop_map(|(folder, which, flags)| Step::Flag { folder, which, flags }),
        2 => (folder.clone(), 0..8usize, folder.clone()).prop_map(|(folder, which, to)| Step::Move { folder, which, to }),
        1 => (folder.clone(), 0..8usize).prop_map(|(folder, which)| Step::Expunge { folder, which }),
        1 => (folder, any::<bool>(), 1..8u32).prop_map(|(folder, on_target, crash)| Step::Renumber { folder, on_target, crash }),
        3 => (1..12u32, any::<bool>()).prop_map(|(step, after)| Step::Crash { step, after }),
        1 => (0..4u32).prop_map(|after| Step::LostAnswer { after }),
        1 => Just(Step::Pass),
    ]
}

async fn pass(source: &Remote, target: &Remote, ledger: &MemoryLedger) -> Report {
    support::pass(source, target, ledger, &with_repairs(PassOptions::default())).await
}

/// Some are similar, some have no identifying data, and the target refuses some in their original form.
fn text(number: u32) -> String {
    match number % 6 {
        4 => format!("Message-ID: <same@example.net>\r\n\r\nbody {number}, of a size of its own\0\r\n"),
        5 => format!("no header {}", "z".repeat(number as usize * 5)),
        0 => format!("Message-ID: <same@example.net>\r\n\r\nbody {number}\r\n"),
        1 => format!("body {number} without a header, {}", "x".repeat(number as usize * 5)),
        _ => format!(
            "Message-ID: <{number}@example.net>\r\nSubject: {number}\r\n\r\n{}\r\n",
            "y".repeat(number as usize * 8)
        ),
    }
}

fn chosen(remote: &Remote, folder: usize, which: usize) -> Option<u32> {
    let mut server = remote.server();
    let messages = &server.folder(FOLDERS[folder]).messages;
    messages.keys().nth(which % messages.len().max(1)).copied()
}

/// Returns the expected copy of a message.
fn taken(body: &str) -> String {
    String::from_utf8(as_taken(body.as_bytes())).unwrap()
}

type Counts = BTreeMap<(String, String), i64>;

/// Counts each message in each folder, with its flags.
fn counts(remote: &Remote, with_folder: bool) -> Counts {
    let mut counts = Counts::new();
    for (folder, messages) in remote.contents() {
        for (body, flags, date) in messages {
            let place = if with_folder { format!("{folder} {flags} {date}") } else { String::new() };
            // The target's messages are in the form in which it accepts them.
            *counts.entry((taken(&body), place)).or_default() += 1;
        }
    }
    counts
}

#[allow(clippy::too_many_lines, reason = "one step of a scenario after the other")]
async fn play(steps: Vec<Step>, tells_vanished: bool) -> Result<(), TestCaseError> {
    let (source, target) = (Remote::default(), Remote::default());
    target.server().refuses = Some(is_malformed);
    source.server().folder("INBOX");
    source.server().tells_vanished = tells_vanished;
    let ledger = MemoryLedger::default();
    let mut deleted: BTreeMap<String, i64> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Add { folder, number, flags } => {
                source.server().folder(FOLDERS[folder]).add_at(number, FLAGS[flags], &text(number));
            }
            Step::Flag { folder, which, flags } => {
                if let Some(uid) = chosen(&source, folder, which) {
                    source.server().folder(FOLDERS[folder]).set_flags(uid, FLAGS[flags]);
                }
            }
            Step::Move { folder, which, to } => {
                if let Some(uid) = chosen(&source, folder, which) {
                    let mut server = source.server();
                    let moved = server.folder(FOLDERS[folder]).expunge(uid).unwrap();
                    server.folder(FOLDERS[to]).take(moved);
                }
            }
            Step::Expunge { folder, which } => {
                if let Some(uid) = chosen(&source, folder, which) {
                    let gone = source.server().folder(FOLDERS[folder]).expunge(uid).unwrap();
                    *deleted.entry(taken(std::str::from_utf8(&gone.body).unwrap())).or_default() += 1;
                }
            }
            Step::Renumber { folder, on_target, crash } => {
                // If the user moves a message with an unknown outcome at the same moment, nothing can identify it any
                // more.
                pass(&source, &target, &ledger.crashing(None)).await;
                let remote = if on_target { &target } else { &source };
                remote.server().folder(FOLDERS[folder]).renumber();
                if crash % 2 == 0 && on_target {
                    // The user emptied it, too.
                    remote.server().folder(FOLDERS[folder]).messages.clear();
                }
                source.server().folder(FOLDERS[folder]).add_at(crash, "", &text(100 + crash));
                pass(&source, &target, &ledger.crashing(Some(Crash::Before(crash)))).await;
                pass(&source, &target, &ledger.crashing(None)).await;
            }
            Step::Crash { step, after } => {
                let crash = if after { Crash::After(step) } else { Crash::Before(step) };
                pass(&source, &target, &ledger.crashing(Some(crash))).await;
            }
            Step::LostAnswer { after } => {
                target.server().loses_answer_after = Some(after);
                pass(&source, &target, &ledger.crashing(None)).await;
                target.server().loses_answer_after = None;
            }
            Step::Pass => {
                let report = pass(&source, &target, &ledger.crashing(None)).await;
                prop_assert!(report.is_synced(), "{report:#?}");
            }
        }
    }
    let report = pass(&source, &target, &ledger.crashing(None)).await;
    prop_assert!(report.is_synced(), "{report:#?}");
    let (there, bodies) = (counts(&target, true), counts(&target, false));
    let source_counts = counts(&source, false);
    for (message, count) in counts(&source, true) {
        let mut arrived = there.get(&message).copied().unwrap_or(0);
        let body = (message.0.clone(), String::new());
        // The copy of a deleted identical message may have been adopted for it: then it keeps its flags.
        if deleted.contains_key(&body.0) && bodies.get(&body) >= source_counts.get(&body) {
            arrived = count;
        }
        prop_assert!(arrived >= count, "lost or changed: {message:?}: {count} -> {arrived}\n{there:#?}");
    }
    for (message, count) in bodies {
        let most =
            source_counts.get(&message).copied().unwrap_or(0) + deleted.get(&message.0).copied().unwrap_or(0);
        prop_assert!(count <= most, "doubled: {message:?}: {most} -> {count}");
    }
    let idle = pass(&source, &target, &ledger.crashing(None)).await;
    prop_assert_eq!(idle.total(|it| it.copied + it.moved + it.removed + it.flags_changed), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn in_the_end_the_target_holds_what_the_source_holds_once(
        steps in prop::collection::vec(step(), 1..40),
        tells_vanished: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(play(steps, tells_vanished))?;
    }
}
