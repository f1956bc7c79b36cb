//! Report 03: the source announces a small message with a wrong length.

use mailhaul_testkit::fake::when;

use crate::{bodies::BODIES, support::Field};

async fn announces(length: &str) {
    let field = Field::of_25().await;
    field.source.lie(when(BODIES).within("INBOX").change("(UID 2 ", "{139}", length));
    field.keeps_promises_with(&[2], &["--concurrency", "1"]).ends_with(10).copied(24);
    field.keeps_promises_with(&[2], &["--concurrency", "1"]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_03_forty_octets_too_short() {
    announces("{99}").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_03_sixty_octets_too_long() {
    announces("{199}").await;
}

/// The client waits for five octets more.
#[tokio::test(flavor = "multi_thread")]
async fn case_03_five_octets_too_long() {
    announces("{144}").await;
}
