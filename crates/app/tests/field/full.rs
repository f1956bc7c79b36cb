//! Report 14: a full mailbox, said in other words than OVERQUOTA.

use mailhaul_testkit::fake::when;

use crate::support::Field;

async fn is_full_with(words: &str) {
    let field = Field::of_5().await;
    field.target.lie(when("APPEND").answer(&format!("t NO {words}")));
    let all = [1, 2, 3, 4, 5];
    let first = field.keeps_promises(&all);
    first.ends_with(20).copied(0).says(&[words]);
    assert_eq!(first.skipped(), 0, "{}", first.text);
    field.target.be_honest();
    field.keeps_promises(&[]).ends_with(0).copied(5);
}

macro_rules! words {
    ($($name:ident: $words:literal;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                is_full_with($words).await;
            }
        )+
    };
}

words! {
    case_14_overquota: "[OVERQUOTA] Quota exceeded";
}
