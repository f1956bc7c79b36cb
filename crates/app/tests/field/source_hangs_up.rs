//! Report 04: the source ends within one message, each time.

use mailhaul_testkit::fake::{Flow, when};

use crate::{
    bodies::BODIES,
    support::{Field, large},
};

const ONE: [&str; 2] = ["--concurrency", "1"];

async fn ends_within_a_message(flow: Flow) -> Field {
    let field = Field::of_25().await;
    field.source.lie(when(BODIES).within("INBOX").edit(move |replies| replies.cut("(UID 2 ", 70, flow)));
    field.keeps_promises_with(&[2], &ONE).ends_with(10).copied(24);
    field.keeps_promises_with(&[2], &ONE).ends_with(10).copied(0);
    field
}

#[tokio::test(flavor = "multi_thread")]
async fn case_04_the_source_closes_within_a_message() {
    ends_within_a_message(Flow::HangUp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_04_the_source_resets_within_a_message() {
    ends_within_a_message(Flow::Reset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_04_the_source_falls_silent_within_a_message() {
    ends_within_a_message(Flow::Silence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_04_the_source_closes_within_a_large_message() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=5).map(large));
    field.source.lie(when(BODIES).edit(|replies| replies.cut("(UID 2 ", 320_000, Flow::HangUp)));
    field.keeps_promises_with(&[2], &ONE).ends_with(10).copied(4);
    field.keeps_promises_with(&[2], &ONE).ends_with(10).copied(0);
}
