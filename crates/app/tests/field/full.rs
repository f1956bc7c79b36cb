//! Report 14: a full mailbox, said in other words than OVERQUOTA.

use mailhaul_testkit::fake::when;

use crate::support::{Field, message};

async fn is_full_with(words: &str) {
    let field = Field::of_5().await;
    field.target.lie(when("APPEND").answer(&format!("t NO {words}")));
    let all = [1, 2, 3, 4, 5];
    let first = field.keeps_promises(&all);
    first.ends_with(20).copied(0).says(&[words]);
    assert_eq!(first.skipped(), 0, "{}", first.text);
    field.target.be_honest();
    field.keeps_promises(&[]).ends_with(0).copied(5);
}

macro_rules! words {
    ($($name:ident: $words:literal;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                is_full_with($words).await;
            }
        )+
    };
}

words! {
    case_14_overquota: "[OVERQUOTA] Quota exceeded";
    case_14_storage_limit: "APPEND The 1500 MB storage limit has been exceeded.";
    case_14_mailbox_size: "Mailbox size limit exceeded";
    case_14_not_enough_space: "Not enough space on server";
    case_14_disk_space: "Insufficient disk space";
    case_14_over_allocated: "over allocated storage";
    case_14_mailbox_full: "Mailbox full";
    case_14_smtp: "552 5.2.2 Message would exceed mailbox storage";
    case_14_alert: "[ALERT] Storage exhausted, upgrade your plan";
}

/// A target that refuses message after message is not offered all of them, whatever its words are.
#[tokio::test(flavor = "multi_thread")]
async fn case_14_every_message_is_refused_in_unknown_words() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=300).map(message));
    field.target.lie(when("APPEND").answer("t NO The moon is in the wrong quarter"));
    let all: Vec<usize> = (1..=300).collect();
    let run = field.keeps_promises(&all);
    run.ends_with(20).copied(0).says(&["The moon is in the wrong quarter"]);
    let offered = field.target.commands().iter().filter(|it| it.starts_with("APPEND")).count();
    assert!(offered < 300, "all messages were offered");
}
