//! Report 58: SELECT is refused until the client says who it is (`NetEase`).

use mailhaul_testkit::fake::when;

use crate::support::{Field, USUAL, message, with};

const UNSAFE: &str = "t NO SELECT Unsafe Login. Please contact kefu@188.com for help";

#[tokio::test(flavor = "multi_thread")]
async fn case_58_id_is_said_where_it_is_offered() {
    let field = Field::of_5().await;
    field.source.lie(when("SELECT | EXAMINE").not_enabled("ID").answer(UNSAFE));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_58_the_refusal_is_told_where_it_is_not() {
    let field = Field::new(with("IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS"), with(USUAL)).await;
    field.give("INBOX", (1..=5).map(message));
    field.source.lie(when("SELECT | EXAMINE").not_enabled("ID").answer(UNSAFE));
    for _ in 0..2 {
        field.keeps_promises(&[1, 2, 3, 4, 5]).ends_with(20).says(&["Unsafe Login"]);
    }
}
