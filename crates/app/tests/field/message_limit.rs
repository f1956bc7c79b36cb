//! Report 11: the server limits the messages of an answer (RFC 9738).

use mailhaul_testkit::fake::{Replies, when};

use crate::support::{Field, USUAL, message, with};

/// Keeps the newest three answers, in descending order, and says so.
pub(crate) fn limit_to_three(replies: &mut Replies) {
    let is_answer = |line: &Vec<u8>| line.starts_with(b"* ") && line.windows(8).any(|it| it == b"FETCH (U");
    let answers = replies.lines.iter().filter(|line| is_answer(line)).count();
    if answers <= 3 {
        return;
    }
    let mut newest: Vec<Vec<u8>> = replies.lines.iter().filter(|line| is_answer(line)).cloned().collect();
    let mut newest = newest.split_off(answers - 3);
    newest.reverse();
    let lowest = String::from_utf8_lossy(&newest[2]);
    let uid: String =
        lowest.split("(UID ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    replies.lines.retain(|line| !is_answer(line));
    replies.lines.splice(0..0, newest);
    replies.end(&format!("t OK [MESSAGELIMIT 3 {uid}] FETCH completed with 3 partial results"));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_11_the_rest_is_asked_for() {
    let source = with("IMAP4rev1 AUTH=PLAIN SASL-IR ID LITERAL+ ENABLE MESSAGELIMIT=3 UIDONLY");
    let field = Field::new(source, with(USUAL)).await;
    field.give("INBOX", (1..=8).map(message));
    field.source.lie(when("UID FETCH").edit(limit_to_three));
    field.keeps_promises(&[]).ends_with(0).copied(8);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
