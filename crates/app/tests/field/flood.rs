//! Endless answers: a source that never stops to list messages.

use mailhaul_testkit::fake::when;

use crate::support::Field;

/// The folder is left, and the others are migrated.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_messages_without_end_ends_its_folder_alone() {
    let field = Field::of_25().await;
    let flood = "* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" RFC822.SIZE 9)\n"
        .repeat(11_000);
    field.source.lie(when("UID FETCH *RFC822.SIZE").within("INBOX").edit(move |replies| replies.say(&flood)));
    let run = field.run(&[]);
    assert_ne!(run.code, Some(0), "{}", run.text);
    run.copied(20).says(&["sent more than 10020 responses to one command, in a mailbox of 5 messages"]);
}
