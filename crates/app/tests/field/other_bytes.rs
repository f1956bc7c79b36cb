//! The target acknowledges a message and stores other bytes.

use mailhaul_testkit::fake::when;

use crate::support::{BARE, Field, USUAL, message, with};

async fn four_messages_to(capabilities: &'static str) -> Field {
    let field = Field::new(with(USUAL), with(capabilities)).await;
    field.give("INBOX", (1..=4).map(message));
    field
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_is_removed_and_named() {
    let field = four_messages_to(USUAL).await;
    let half = |octets: &[u8]| vec![octets[..octets.len() / 2].to_vec()];
    field.target.lie(when("APPEND INBOX").holding("Number 002").store(half));
    field.keeps_promises(&[2]).ends_with(10);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_is_noticed() {
    let field = four_messages_to(USUAL).await;
    let changed = |octets: &[u8]| {
        let mut changed = octets.to_vec();
        let at = changed.len() - 5;
        changed[at] ^= 1;
        vec![changed]
    };
    field.target.lie(when("APPEND INBOX").holding("Number 003").store(changed));
    field.keeps_promises(&[3]).ends_with(10);
    field.keeps_promises(&[3]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_message_in_place_of_each_is_noticed() {
    let field = four_messages_to(USUAL).await;
    field.target.lie(when("APPEND INBOX").store(|_| vec![Vec::new()]));
    field.keeps_promises(&[1, 2, 3, 4]).ends_with(10);
    field.keeps_promises(&[1, 2, 3, 4]).ends_with(10).copied(0);
}

/// Without UIDPLUS nothing is removed: the folder fails, and names the message.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_message_that_cannot_be_removed_fails_each_run() {
    let field = four_messages_to(BARE).await;
    let without_end = |octets: &[u8]| vec![octets[..octets.len() - 10].to_vec()];
    field.target.lie(when("APPEND INBOX").holding("Number 002").store(without_end));
    for _ in 1..=2 {
        let run = field.run(&[]);
        run.ends_with(20);
        assert!(run.text.contains("the copy cannot be removed"), "{}", run.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_stored_twice_is_told() {
    for capabilities in [USUAL, BARE] {
        let field = four_messages_to(capabilities).await;
        let twice = |octets: &[u8]| vec![octets.to_vec(), octets.to_vec()];
        field.target.lie(when("APPEND INBOX").holding("Number 002").turns(1..=1).store(twice));
        let run = field.run(&[]);
        run.ends_with(20);
        assert!(run.text.contains("shows 1 message twice"), "{}", run.text);
    }
}
