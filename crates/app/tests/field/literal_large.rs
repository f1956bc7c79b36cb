//! Report 01: the source announces a large message with a wrong length (HCL Domino).

use crate::support::{Field, large};

/// A source that announces what it sends.
#[tokio::test(flavor = "multi_thread")]
async fn case_01_large_messages_arrive() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=5).map(large));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
