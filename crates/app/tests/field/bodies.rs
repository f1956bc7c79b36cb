//! Sources that send the body of one message wrongly.

use mailhaul_testkit::fake::when;

use crate::support::Field;

/// Commands that fetch bodies.
pub(crate) const BODIES: &str = "UID FETCH *BODY.PEEK[] | UID FETCH *RFC822)";

/// Report 54: BODY[] is NIL, with OK. Once: the message is read again.
#[tokio::test(flavor = "multi_thread")]
async fn case_54_a_body_that_is_nil_once_arrives() {
    let field = Field::of_5().await;
    field
        .source
        .lie(when(BODIES).once().edit(|replies| replies.put("(UID 2 ", "* 2 FETCH (UID 2 BODY[] NIL)")));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

/// Report 54, for each FETCH.
#[tokio::test(flavor = "multi_thread")]
async fn case_54_a_body_that_is_always_nil_is_skipped() {
    let field = Field::of_5().await;
    field.source.lie(when(BODIES).edit(|replies| replies.put("(UID 2 ", "* 2 FETCH (UID 2 BODY[] NIL)")));
    field.keeps_promises(&[2]).ends_with(10).copied(4);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

/// Report 55: unsolicited flags, before and after the body.
#[tokio::test(flavor = "multi_thread")]
async fn case_55_unsolicited_flags_do_not_disturb() {
    let field = Field::of_5().await;
    field.source.lie(when(BODIES).edit(|replies| {
        replies.say_first("* 2 FETCH (FLAGS (\\Seen))\n* 3 FETCH (UID 3 FLAGS (\\Seen))");
        replies.say("* 2 FETCH (FLAGS ())\n* 4 FETCH (FLAGS () UID 4)");
    }));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
