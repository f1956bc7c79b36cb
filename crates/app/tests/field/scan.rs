//! Report 13: the list of messages is wrong at one of them (Kopano, Yahoo).

use mailhaul_testkit::fake::{Flow, Lie, when};

use crate::support::Field;

/// Commands that list messages.
const SCAN: &str = "UID FETCH *RFC822.SIZE";

/// At most these messages of five are missing.
async fn lists(may_lack: &[usize], lies: impl IntoIterator<Item = Lie>) {
    let field = Field::of_5().await;
    for lie in lies {
        field.source.lie(lie);
    }
    field.keeps_promises(may_lack);
    field.keeps_promises(may_lack).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_13_a_nothing_but_a_uid() {
    lists(&[2], [when(SCAN).edit(|replies| replies.put("(UID 2 ", "* 2 FETCH (UID 2)"))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_13_b_nothing_once() {
    lists(&[], [when(SCAN).once().edit(|replies| replies.put("(UID 2 ", ""))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_13_b_nothing_ever() {
    lists(&[2], [when(SCAN).edit(|replies| replies.put("(UID 2 ", ""))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_13_c_each_range_with_the_message_is_refused() {
    let refusal = "t NO [SERVERBUG] Internal error occurred";
    lists(&[2], [when(SCAN).edit(|replies| replies.fail_at("(UID 2 ", refusal))]).await;
}

/// The server closes the connection instead of an answer.
#[tokio::test(flavor = "multi_thread")]
async fn case_13_c_each_range_with_the_message_ends_the_connection() {
    let hangs_up = when(SCAN).edit(|replies| replies.cut("(UID 2 ", 10, Flow::HangUp));
    lists(&[2], [hangs_up]).await;
}

/// All readable messages arrive, and the exit code is not 0.
#[tokio::test(flavor = "multi_thread")]
async fn case_13_d_one_that_is_counted_and_never_shown() {
    let field = Field::of_5().await;
    field.source.lie(when("SELECT | EXAMINE").change(" EXISTS", "* 5", "* 6"));
    field.source.lie(when("STATUS | LIST").change("MESSAGES", "MESSAGES 5", "MESSAGES 6"));
    for copied in [5, 0] {
        let run = field.keeps_promises(&[]);
        run.copied(copied);
        assert_ne!(run.code, Some(0), "{}", run.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_13_e_uid_0() {
    lists(&[1], [when(SCAN).change("(UID 1 ", "(UID 1 ", "(UID 0 ")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_13_f_two_messages_with_one_uid() {
    lists(&[2, 3], [when(SCAN).change("(UID 3 ", "(UID 3 ", "(UID 2 ")]).await;
}
