//! Report 05: the source refuses one message and throttles (Yahoo).

use mailhaul_testkit::fake::when;

use crate::{bodies::BODIES, support::Field};

async fn refuses_one_message_with(words: &'static str) {
    let field = Field::of_25().await;
    let refusal = format!("t {words}");
    field.source.lie(when(BODIES).within("INBOX").edit(move |replies| replies.fail_at("(UID 2 ", &refusal)));
    let words = words.split_once(' ').unwrap().1;
    field.keeps_promises(&[2]).ends_with(10).copied(24).says(&[words]);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_05_some_messages_could_not_be_fetched() {
    refuses_one_message_with("NO Some messages could not be FETCHed (Failure)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_05_unavailable() {
    refuses_one_message_with("NO [UNAVAILABLE] UID FETCH Server error while fetching messages").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_05_serverbug_try_again_later() {
    refuses_one_message_with("NO [SERVERBUG] UID FETCH Server error - Please try again later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_05_try_again_later() {
    refuses_one_message_with("NO UID FETCH Server error - Please try again later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_05_server_unavailable_15() {
    refuses_one_message_with("NO Server Unavailable. 15").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_05_command_error_12() {
    refuses_one_message_with("BAD Command Error. 12").await;
}
