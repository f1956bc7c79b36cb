//! Report 19: UIDVALIDITY and UIDs that exceed 32 bits or are missing.

use mailhaul_testkit::fake::{Fake, when};

use crate::support::{Field, message};

/// Replaces the UIDVALIDITY in all later answers.
fn tells(server: &Fake, number: &'static str) {
    server.lie(when("").edit(move |replies| {
        for (from, to) in [
            ("UIDVALIDITY 1000", format!("UIDVALIDITY {number}")),
            ("APPENDUID 1000 ", format!("APPENDUID {number} ")),
            ("COPYUID 1000 ", format!("COPYUID {number} ")),
        ] {
            replies.change(from, from, &to);
        }
    }));
}

async fn carries(source: &'static str, target: &'static str) {
    let field = Field::of_5().await;
    tells(&field.source, source);
    tells(&field.target, target);
    field.keeps_promises(&[]).copied(5).says_nothing_of(&["cannot be told apart"]);
    field.keeps_promises(&[]).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_uidvalidity_of_64_bits_on_the_source() {
    carries("1666390893380", "1000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_uidvalidity_of_64_bits_on_the_target() {
    carries("1000", "1666390893380").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_uidvalidity_0_on_the_source() {
    carries("0", "1000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_uidvalidity_0_on_the_target() {
    carries("1000", "0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_no_uidvalidity_on_the_source() {
    let field = Field::of_5().await;
    field.source.lie(when("SELECT | EXAMINE").edit(|replies| replies.put("[UIDVALIDITY", "")));
    field.source.lie(when("STATUS | LIST").change("UIDVALIDITY", " UIDVALIDITY 1000", ""));
    field.keeps_promises(&[]).copied(5);
    field.keeps_promises(&[]).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_uids_above_32_bits() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=2).map(message));
    field.source.lie(when("UID").hear("19564493749", "2"));
    field.source.lie(when("").edit(|replies| {
        replies.change("(UID 2", "(UID 2", "(UID 19564493749");
        replies.change("UIDNEXT 3", "UIDNEXT 3", "UIDNEXT 19564493750");
    }));
    // Such a UID cannot be asked for: the message is named.
    field.keeps_promises(&[2]).ends_with(10).copied(1);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}

/// Dovecot 2.3: STATUS shows UIDVALIDITY 0 of a folder that another connection just created; SELECT shows the real one.
async fn status_alone_tells_0(side: fn(&Field) -> &Fake) {
    let field = Field::of_5().await;
    side(&field).lie(when("STATUS").change("UIDVALIDITY", "UIDVALIDITY 1000", "UIDVALIDITY 0"));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_status_alone_tells_0_on_the_source() {
    status_alone_tells_0(|field| &field.source).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_19_status_alone_tells_0_on_the_target() {
    status_alone_tells_0(|field| &field.target).await;
}
