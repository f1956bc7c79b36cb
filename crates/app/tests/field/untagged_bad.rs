//! Report 16: the target says BAD without a tag, and nothing more.

use mailhaul_testkit::fake::{Flow, when};

use crate::support::{BARE, Field, USUAL, message, sized, with};

#[tokio::test(flavor = "multi_thread")]
async fn case_16_in_place_of_a_continuation() {
    says_bad_without_a_tag(BARE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_16_after_the_octets() {
    says_bad_without_a_tag(USUAL).await;
}

async fn says_bad_without_a_tag(capabilities: &'static str) {
    let field = Field::new(with(USUAL), with(capabilities)).await;
    field.give("INBOX", [message(1), sized(2, 288_134), message(3), message(4)]);
    let bad = "* BAD command line limit exceeded";
    field.target.lie(when("APPEND").at_least(100_000).within_literal(0, bad, Flow::On));
    field.keeps_promises(&[2]).ends_with(10).copied(3).says(&["command line limit exceeded"]);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}
