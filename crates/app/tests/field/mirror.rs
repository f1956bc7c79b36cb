//! `--deletions mirror`, and a source that gives one odd answer: nothing of the target is removed.

use mailhaul_testkit::fake::{Lie, Personality, when};

use crate::support::{Field, USER, USUAL, message, with};

const MIRROR: [&str; 2] = ["--deletions", "mirror"];

/// A second run with this lie, and a third one without: the target keeps all.
async fn keeps_all(lie: Lie) {
    let field = Field::of_25().await;
    field.keeps_promises_with(&[], &MIRROR).ends_with(0).copied(25);
    field.source.lie(lie);
    for _ in 0..2 {
        let run = field.keeps_promises_with(&[], &MIRROR);
        run.copied(0);
        assert_eq!(run.result["mailboxes"][0]["removed"], 0, "{}", run.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_opened_as_empty_once() {
    keeps_all(when("EXAMINE INBOX").once().change(" EXISTS", "* 5", "* 0")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_folder_is_listed_once() {
    keeps_all(when("LIST").once().edit(|replies| {
        replies.lines.retain(|line| !line.starts_with(b"* LIST"));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_is_not_listed_once() {
    keeps_all(when("LIST").once().edit(|replies| replies.put("Archive", ""))).await;
}

/// Two runs with this lie of a source that tells changes, to which a message is added before each, and one without.
async fn keeps_all_and_more(lie: Lie, code: i32) {
    let field = Field::new(Personality::plain(), with(USUAL)).await;
    field.give("INBOX", (1..=20).map(message));
    field.keeps_promises_with(&[], &MIRROR).ends_with(0).copied(20);
    field.source.lie(lie);
    field.give("INBOX", [message(21)]);
    field.run(&MIRROR).ends_with(code);
    field.source.be_honest();
    field.give("INBOX", [message(22)]);
    field.keeps_promises_with(&[], &MIRROR).ends_with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_still_there_are_told_as_vanished() {
    let lie = when("UID FETCH * (CHANGEDSINCE").edit(|replies| replies.say_first("* VANISHED (EARLIER) 1:8"));
    keeps_all_and_more(lie, 0).await;
}

/// STATUS counts them before and after.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_still_there_are_told_as_expunged() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=20).map(message));
    field.keeps_promises_with(&[], &MIRROR).ends_with(0).copied(20);
    field.source.lie(when("UID FETCH 1:* (UID FLAGS").edit(|replies| {
        replies.lines.drain(..8);
        replies.say_first(&["* 1 EXPUNGE"; 8].join("\n"));
        for number in 9..=21 {
            replies.change("FETCH", &format!("* {number} FETCH"), &format!("* {} FETCH", number - 8));
        }
    }));
    field.give("INBOX", [message(21)]);
    field.run(&MIRROR).ends_with(20).says(&["the server counts 21 messages (STATUS) and shows 13"]);
    field.source.be_honest();
    field.keeps_promises_with(&[], &MIRROR).ends_with(0).copied(0);
}

/// The operator sets the share of a mailbox that one run may remove.
#[tokio::test(flavor = "multi_thread")]
async fn the_share_that_waits_can_be_set() {
    let field = Field::of_25().await;
    field.keeps_promises_with(&[], &MIRROR).ends_with(0).copied(25);
    field.source.with(USER, |mailbox| (1..=4).for_each(|uid| mailbox.remove("Archive", uid)));
    let with = |percent, count| {
        field.run(&[&MIRROR[..], &["--max-deletions", percent, "--max-deletion-count", count]].concat())
    };
    // Four of 25 are 16 percent.
    let run = with("15", "3");
    run.ends_with(0)
        .says(&["4 copies are not removed yet: one pass removes at most 15 percent of the copies, or 3"]);
    assert_eq!(run.result["mailboxes"][0]["removed"], 0, "{}", run.text);
    let run = with("16", "3");
    assert_eq!(run.ends_with(0).result["mailboxes"][0]["removed"], 4, "{}", run.text);
}

/// The mailbox is really empty: the removal waits for an hour, or for a confirmation.
#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_folder_waits_until_the_deletions_are_confirmed() {
    let field = Field::of_25().await;
    field.keeps_promises_with(&[], &MIRROR).ends_with(0).copied(25);
    field.source.with(USER, |mailbox| (1..=10).for_each(|uid| mailbox.remove("Archive", uid)));
    let run = field.run(&MIRROR);
    run.ends_with(0).says(&["10 copies are not removed yet", "--confirm-deletions"]);
    assert_eq!(run.result["mailboxes"][0]["removed"], 0, "{}", run.text);
    let run = field.run(&["--deletions", "mirror", "--confirm-deletions"]);
    assert_eq!(run.ends_with(0).result["mailboxes"][0]["removed"], 10, "{}", run.text);
}
