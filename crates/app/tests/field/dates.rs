//! Report 22: dates of arrival that cannot be read.

use mailhaul_testkit::fake::when;

use crate::support::{Field, USER};

/// 1-Feb-2024 09:05:00 +0100.
const ARRIVAL: i64 = 1_706_774_700;
/// The Date field: 5-Jan-2024 10:00:00 +0000.
const DATE_FIELD: i64 = 1_704_448_800;
const MESSAGE: &[u8] = b"From: ann@example.org\r\nSubject: Number 001\r\nMessage-ID: <001@example.org>\r\n\
     Date: Fri, 05 Jan 2024 10:00:00 +0000\r\n\r\nHello\r\n";

/// Returns the target's date of a message that the source shows with the date `told`.
async fn arrives_at(told: &'static str, expected: i64) {
    let field = Field::usual().await;
    field.give("INBOX", [MESSAGE.to_vec()]);
    field.source.lie(when("UID FETCH *INTERNALDATE").edit(move |replies| {
        for line in &mut replies.lines {
            let text = String::from_utf8_lossy(line).into_owned();
            let Some((front, rest)) = text.split_once(" INTERNALDATE \"") else { continue };
            let after = rest.split_once('"').unwrap().1;
            *line = format!("{front}{told}{after}").into_bytes();
        }
    }));
    let run = field.keeps_promises(&[]);
    run.ends_with(0).copied(1);
    let dates = field.target.with(USER, |mailbox| mailbox.messages("INBOX")[0].1.date.unix_seconds());
    assert_eq!(dates, expected, "{}", run.text);
    if expected == DATE_FIELD {
        run.says(&["date of arrival"]);
    }
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

macro_rules! dates {
    ($($name:ident: $told:literal => $expected:expr;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                arrives_at($told, $expected).await;
            }
        )+
    };
}

dates! {
    case_22_as_it_should_be: " INTERNALDATE \"01-Feb-2024 09:05:00 +0100\"" => ARRIVAL;
    case_22_one_digit: " INTERNALDATE \"1-Feb-2024 09:05:00 +0100\"" => ARRIVAL;
    case_22_zone_in_letters: " INTERNALDATE \"01-Feb-2024 03:05:00 EST\"" => ARRIVAL;
    case_22_iso: " INTERNALDATE \"2024-02-01 09:05:00 +0100\"" => ARRIVAL;
    case_22_date_of_a_header: " INTERNALDATE \"Thu, 01 Feb 2024 09:05:00 +0100\"" => ARRIVAL;
    case_22_year_of_two_digits: " INTERNALDATE \"01-Feb-24 09:05:00 +0100\"" => ARRIVAL;
    case_22_no_such_zone: " INTERNALDATE \"01-Feb-2024 09:05:00 +9999\"" => DATE_FIELD;
    case_22_no_such_day: " INTERNALDATE \"29-Feb-2023 10:00:00 +0000\"" => DATE_FIELD;
    case_22_year_1601: " INTERNALDATE \"01-Jan-1601 00:00:00 +0000\"" => DATE_FIELD;
    case_22_empty: " INTERNALDATE \"\"" => DATE_FIELD;
    case_22_none: "" => DATE_FIELD;
}
