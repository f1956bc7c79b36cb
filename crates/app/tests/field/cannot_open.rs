//! Reports 59, 63 and 65: folders that cannot be opened, or cannot be made although they are there.

use mailhaul_testkit::fake::{Fake, when};

use crate::support::{Field, USER, message};

/// Report 59 (Stalwart): CREATE is acknowledged, and the folder does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn case_59_a_folder_that_was_made_and_is_not_there_fails_alone() {
    let field = Field::of_25().await;
    field.give("L&APg-bende", (41..=43).map(message));
    field.target.lie(when("CREATE *L&APg-bende").answer("t OK CREATE completed"));
    for copied in [25, 0] {
        let run = field.keeps_promises(&[41, 42, 43]);
        run.ends_with(20).copied(copied).says(&["Løbende"]);
    }
}

/// Report 63 (Dovecot, smtp4dev).
#[tokio::test(flavor = "multi_thread")]
async fn case_63_an_inbox_that_cannot_be_opened_fails_alone() {
    let field = Field::of_25().await;
    let refusal = "t NO [SERVERBUG] Internal error occurred. Refer to server log for more information.";
    field.source.lie(when("SELECT INBOX | EXAMINE INBOX").answer(refusal));
    for copied in [20, 0] {
        let run = field.keeps_promises(&[1, 2, 3, 4, 5]);
        run.ends_with(20).copied(copied).says(&["Internal error occurred"]).says_nothing_of(&["password"]);
    }
}

/// Report 65 (Courier, Vandelay): the folder exists, is not listed, and CREATE is refused.
async fn is_not_listed(refusal: &str) {
    let field = Field::of_25().await;
    let hides = |server: &Fake| {
        server.with(USER, |mailbox| mailbox.create("Archive"));
        server.lie(when("LIST | LSUB").edit(|replies| replies.put("Archive", "")));
        server.lie(when("CREATE *Archive").answer(refusal));
    };
    hides(&field.target);
    field.keeps_promises(&[]).ends_with(0).copied(25);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_65_create_says_already_exists() {
    is_not_listed("t NO [ALREADYEXISTS] Mailbox already exists").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_65_create_says_cannot() {
    is_not_listed("t NO Cannot create this folder.").await;
}
