//! Targets that handle one upload wrongly.

use mailhaul_testkit::fake::when;

use crate::support::Field;

/// Report 64: a message without flags above 64 KiB is refused.
#[tokio::test(flavor = "multi_thread")]
async fn case_64_a_literal_that_is_refused_for_its_size_is_skipped() {
    let field = Field::usual().await;
    field.give(
        "INBOX",
        [crate::support::message(1), crate::support::sized(2, 70_000), crate::support::message(3)],
    );
    field.target.lie(when("APPEND").at_least(65_536).answer("t BAD literal size too large"));
    field.keeps_promises(&[2]).ends_with(10).says(&["literal size too large"]).copied(2);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}
