//! Report 01: the source announces a large message with a wrong length (HCL Domino).

use mailhaul_testkit::fake::when;

use crate::{
    bodies::BODIES,
    support::{Field, Run, large},
};

/// Source with correct lengths.
#[tokio::test(flavor = "multi_thread")]
async fn case_01_large_messages_arrive() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=5).map(large));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

async fn announces(lengths: &[(usize, &str)]) -> [Run; 2] {
    let field = Field::usual().await;
    field.give("INBOX", (1..=5).map(large));
    for (uid, length) in lengths {
        field.source.lie(when(BODIES).change(&format!("(UID {uid} "), "{640133}", length));
    }
    let may_lack: Vec<usize> = lengths.iter().map(|(uid, _)| *uid).collect();
    [field.keeps_promises(&may_lack), field.keeps_promises(&may_lack)]
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_forty_octets_too_short() {
    let [first, second] = announces(&[(2, "{640093}")]).await;
    first.ends_with(10).copied(4);
    second.ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_one_octet_too_short() {
    let [first, second] = announces(&[(2, "{640132}")]).await;
    first.ends_with(10).copied(4);
    second.ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_sixty_octets_too_long() {
    let [first, second] = announces(&[(2, "{640193}")]).await;
    first.ends_with(10).copied(4);
    second.ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_all_five_too_short() {
    let all = [1, 2, 3, 4, 5].map(|uid| (uid, "{640093}"));
    let [first, second] = announces(&all).await;
    first.copied(0);
    second.copied(0);
}
