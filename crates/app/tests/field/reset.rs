//! Report 17: the target resets the connection within a message, each time and without a word.

use mailhaul_testkit::fake::{Flow, when};

use crate::support::{Field, message, sized};

async fn ends_within_a_large_message(flow: Flow) {
    let field = Field::usual().await;
    field.give("INBOX", [message(1), sized(2, 288_134), message(3), message(4)]);
    field.target.lie(when("APPEND").at_least(100_000).within_literal(20_000, "", flow));
    field.keeps_promises(&[2]).ends_with(10).copied(3);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_17_the_target_resets_within_a_message() {
    ends_within_a_large_message(Flow::Reset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_17_the_target_closes_within_a_message() {
    ends_within_a_large_message(Flow::HangUp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_17_the_target_falls_silent_within_a_message() {
    ends_within_a_large_message(Flow::Silence).await;
}

/// The answer has the tag of no command.
#[tokio::test(flavor = "multi_thread")]
async fn case_17_the_target_garbles_the_tag() {
    let field = Field::of_5().await;
    field.target.lie(when("APPEND").holding("Number 002").answer("zz NO [CANNOT] cannot"));
    field.keeps_promises(&[2]).ends_with(10).copied(4);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}
