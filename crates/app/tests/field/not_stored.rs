//! Report 07: the target acknowledges a message and does not store it.

use mailhaul_testkit::fake::when;

use crate::support::{BARE, Field, USUAL, message, with};

async fn four_messages_to(capabilities: &'static str) -> Field {
    let field = Field::new(with(USUAL), with(capabilities)).await;
    field.give("INBOX", (1..=4).map(message));
    field
}

/// Stored the second time.
#[tokio::test(flavor = "multi_thread")]
async fn case_07_no_uid_is_told_once() {
    let field = four_messages_to(USUAL).await;
    field.target.lie(when("APPEND INBOX").turns(2..=2).answer("t OK APPEND completed"));
    field.keeps_promises(&[]).ends_with(0);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_07_no_uid_is_told_ever() {
    let field = four_messages_to(USUAL).await;
    field.target.lie(when("APPEND INBOX").holding("Number 002").answer("t OK APPEND completed"));
    field.keeps_promises(&[2]).ends_with(10);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_07_the_uid_of_another_message_is_told() {
    let field = four_messages_to(USUAL).await;
    field.target.lie(when("APPEND INBOX").holding("Number 002").store(|_| Vec::new()));
    field.keeps_promises(&[2]).ends_with(10);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_07_a_server_without_uidplus() {
    let field = four_messages_to(BARE).await;
    field.target.lie(when("APPEND INBOX").holding("Number 002").store(|_| Vec::new()));
    field.keeps_promises(&[2]).ends_with(10);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

/// GNU imap4d: every message is acknowledged, and the last one alone is there.
#[tokio::test(flavor = "multi_thread")]
async fn case_07_only_one_of_many_is_stored() {
    let field = four_messages_to(BARE).await;
    field.target.lie(when("APPEND INBOX").turns(1..=3).store(|_| Vec::new()));
    field.keeps_promises(&[1, 2, 3, 4]);
    field.keeps_promises(&[1, 2, 3, 4]);
}
