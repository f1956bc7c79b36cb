//! Report 18: APPEND says TRYCREATE although the folder exists (Kopano).

use mailhaul_testkit::fake::when;

use crate::support::{Field, USER, message};

#[tokio::test(flavor = "multi_thread")]
async fn case_18_a_folder_that_is_there_and_is_not_found_fails_alone() {
    let field = Field::usual().await;
    field.give("Archive", (11..=20).map(message));
    field.give("Projekte", (1..=3).map(message));
    field.give("Zeta", (21..=30).map(message));
    field.target.with(USER, |mailbox| mailbox.create("Projekte"));
    let refusal = "t NO [TRYCREATE] APPEND error finding folder";
    field.target.lie(when("APPEND Projekte").answer(refusal));
    for copied in [20, 0] {
        let run = field.keeps_promises(&[1, 2, 3]);
        run.ends_with(20)
            .copied(copied)
            .says(&["error finding folder"])
            .says_nothing_of(&["was created again"]);
    }
}
