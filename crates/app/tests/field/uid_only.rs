//! Report 12: without UIDONLY the server shows only the newest messages (Yahoo).

use mailhaul_testkit::fake::{Replies, when};

use crate::{
    message_limit::limit_to_three,
    support::{Field, USUAL, message, with},
};

/// `* 6 FETCH (UID 6 FLAGS ...` becomes `* 6 UIDFETCH (FLAGS ...` (RFC 9586).
fn uid_fetch(replies: &mut Replies) {
    for uid in 1..=8 {
        replies.change(&format!("(UID {uid} "), &format!("FETCH (UID {uid} "), "UIDFETCH (");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_12_all_messages_are_seen_or_the_limit_is_told() {
    let source = with("IMAP4rev1 AUTH=PLAIN SASL-IR ID LITERAL+ ENABLE MESSAGELIMIT=3 UIDONLY");
    let field = Field::new(source, with(USUAL)).await;
    field.give("INBOX", (1..=8).map(message));
    let hidden = |replies: &mut Replies| (1..=5).for_each(|uid| replies.put(&format!("(UID {uid} "), ""));
    for lie in [
        when("SELECT | EXAMINE").not_enabled("UIDONLY").change(" EXISTS", "* 8", "* 3"),
        when("STATUS | LIST").not_enabled("UIDONLY").change("MESSAGES", "MESSAGES 8", "MESSAGES 3"),
        when("UID FETCH").not_enabled("UIDONLY").edit(hidden),
        when("UID FETCH").enabled("UIDONLY").edit(limit_to_three),
        when("UID FETCH").enabled("UIDONLY").edit(uid_fetch),
    ] {
        field.source.lie(lie);
    }
    for copied in [8, 0] {
        let run = field.run(&[]);
        if field.lacking().is_empty() {
            run.ends_with(0).copied(copied);
        } else {
            assert_ne!(run.code, Some(0), "{}", run.text);
            run.says(&["MESSAGELIMIT"]);
        }
    }
}

/// The server has a limit and no UIDONLY: no answer says if there are older messages.
#[tokio::test(flavor = "multi_thread")]
async fn case_12_a_folder_that_may_be_cut_is_told() {
    let source = with("IMAP4rev1 AUTH=PLAIN SASL-IR ID LITERAL+ ENABLE MESSAGELIMIT=3 XYMHIGHESTMODSEQ");
    let field = Field::new(source, with(USUAL)).await;
    field.give("INBOX", (1..=3).map(message));
    field.give("Archive", (4..=5).map(message));
    let run = field.keeps_promises(&[]);
    run.copied(5).says(&["MESSAGELIMIT=3", "shows 3 messages", "export.imap.mail.yahoo.com"]);
    assert!(!run.text.contains("shows 2 messages"), "{}", run.text);
}
