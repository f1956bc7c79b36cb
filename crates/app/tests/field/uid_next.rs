//! A target with a wrong UIDNEXT: its new messages have lower UIDs. `app/tests/long/hostile.rs` found it.

use mailhaul_testkit::fake::{Flow, when};

use crate::support::Field;

async fn told_too_high() -> Field {
    let field = Field::of_25().await;
    let lie = when("STATUS Zeta").once();
    field.target.lie(lie.change("STATUS", "UIDNEXT 1 ", "UIDNEXT 4294967295 "));
    field
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_next_that_is_too_high_doubles_nothing() {
    let field = told_too_high().await;
    field.keeps_promises(&[]).ends_with(0);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_next_that_is_too_high_and_a_lost_answer_double_nothing() {
    let field = told_too_high().await;
    let lost = when("APPEND Zeta").once();
    field.target.lie(lost.edit(|replies| {
        replies.lines.clear();
        replies.flow = Flow::HangUp;
    }));
    field.keeps_promises(&[]).ends_with(0);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
