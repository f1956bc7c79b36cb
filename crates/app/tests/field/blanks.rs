//! Report 52: blanks where none belong, and flags that are none (`SurgeMail` and others).

use mailhaul_testkit::fake::{Fake, Replies, when};

use crate::support::{BARE, Field, USUAL, message, with};

/// As the source and as the target.
async fn writes(edit: fn(&mut Replies), commands: &str) {
    let lies = |server: &Fake| server.lie(when(commands).edit(edit));
    let field = Field::new(with(USUAL), with(BARE)).await;
    field.give("INBOX", (1..=5).map(message));
    lies(&field.source);
    lies(&field.target);
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_52_blanks_at_the_end_of_lines() {
    let edit = |replies: &mut Replies| {
        for line in replies.lines.iter_mut().filter(|line| !line.ends_with(b"}\r\n")) {
            line.truncate(line.len() - 2);
            line.extend_from_slice(b" \r\n");
        }
    };
    writes(edit, "LIST | STATUS | SELECT | EXAMINE | UID").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_52_quoted_flags() {
    writes(|replies| replies.change("FLAGS", "\\Deleted", "\"\\\\Deleted\""), "SELECT | EXAMINE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_52_flags_with_blanks_and_brackets() {
    let edit = |replies: &mut Replies| replies.change("FLAGS ()", "FLAGS ()", "FLAGS ( \\Seen [a b] )");
    writes(edit, "UID FETCH *FLAGS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_52_ok_without_text() {
    writes(|replies| replies.end("t OK"), "NOOP | LIST | STATUS | UID").await;
}
