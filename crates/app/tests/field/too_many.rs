//! Report 06: the target refuses one message with words that sound like throttling.

use mailhaul_testkit::fake::when;

use crate::support::Field;

async fn refuses_one_message_with(words: &str) {
    let field = Field::of_5().await;
    field.target.lie(when("APPEND").holding("Number 002").answer(&format!("t {words}")));
    let words = words.split_once(' ').unwrap().1;
    field.keeps_promises(&[2]).ends_with(10).copied(4).says(&[words]);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

macro_rules! refusals {
    ($($name:ident: $words:literal;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                refuses_one_message_with($words).await;
            }
        )+
    };
}

refusals! {
    case_06_identical: "NO [LIMIT] Too many identical emails";
    case_06_mailbox: "NO Too many messages in mailbox";
    case_06_parts: "NO Message has too many MIME parts";
    case_06_header_lines: "BAD Too many header lines";
    case_06_recipients: "NO Too many recipients";
    case_06_busy: "NO Your request could not be completed because a server error occurred while it was busy";
    case_06_filter: "NO Message rejected by content filter, try again later";
}
