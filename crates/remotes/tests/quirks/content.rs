//! Rows 1 to 13: identity, sizes, content.

use mailhaul_engine::{Mailbox as _, Missing};
use mailhaul_mail::{Fingerprint, FolderPath, Retry, Scope, UidSet};

use crate::support::{Play, source, target, uid};

fn both() -> UidSet {
    UidSet::range(uid(1), uid(2))
}

/// The fingerprints of two messages.
async fn fingerprints(mut play: Play) -> (Fingerprint, Fingerprint) {
    let mut found = play.mailbox.fingerprints(&FolderPath::inbox(), &both()).await.unwrap();
    play.done().await;
    found.sort_by_key(|(uid, _)| *uid);
    assert_eq!(found.iter().map(|(uid, _)| uid.get()).collect::<Vec<_>>(), [1, 2]);
    (found[0].1, found[1].1)
}

#[tokio::test]
async fn q1_the_octets_that_come_count_whatever_size_was_told() {
    let mut play = source("q01-exchange-sizes.txt").await;
    let scan = play.mailbox.scan(&FolderPath::inbox(), None).await.unwrap();
    let sizes: Vec<u64> = scan.messages.iter().map(|it| it.size).collect();
    assert_eq!(sizes, [900, 0, 1]);
    let (told, missing) = play.fetch(&sizes).await.unwrap();
    play.done().await;
    assert_eq!(told, ["2: second\r\n", "1: hello\r\n", "3: third\r\n"]);
    assert!(missing.is_empty());
}

#[tokio::test]
async fn q2_a_date_of_1899_and_no_size_do_not_stop_a_scan() {
    let mut play = source("q02-icewarp-dates.txt").await;
    let scan = play.mailbox.scan(&FolderPath::inbox(), None).await.unwrap();
    play.done().await;
    let told: Vec<(u64, bool)> = scan
        .messages
        .iter()
        .map(|it| (it.size, it.internal_date.is_some_and(|it| it.unix_seconds() > 0)))
        .collect();
    assert_eq!(told, [(0, false), (5, true)]);
}

#[tokio::test]
async fn q3_refolded_headers_are_the_same_message() {
    let (first, second) = fingerprints(target("q03-gmail-refolded.txt").await).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn q4_blanks_that_a_server_takes_away_are_not_missed() {
    let (first, second) = fingerprints(target("q04-mailenable-blanks.txt").await).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn q5_a_message_with_a_rewritten_header_matches_by_its_text() {
    let mut play = target("q05-smartermail-headers.txt").await;
    let found = play.mailbox.digests(&FolderPath::inbox(), &both()).await.unwrap();
    play.done().await;
    assert_ne!(found[0].1.whole, found[1].1.whole);
    assert!(found[0].1.same_message(&found[1].1));
}

#[tokio::test]
async fn q6_a_message_id_without_its_domain_is_the_same() {
    let (first, second) = fingerprints(target("q06-domino-message-id.txt").await).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn q7_a_header_that_comes_with_a_flag_makes_no_other_message() {
    let mut play = source("q07-exchange-flag-header.txt").await;
    let found = play.mailbox.digests(&FolderPath::inbox(), &both()).await.unwrap();
    play.done().await;
    assert!(found[0].1.same_message(&found[1].1));
}

#[tokio::test]
async fn q8_octets_that_became_question_marks_are_the_same_header() {
    let (first, second) = fingerprints(source("q08-zimbra-headers.txt").await).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn q9_where_the_header_is_empty_the_message_is_read() {
    let (first, second) = fingerprints(source("q09-zimbra-empty-header.txt").await).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn q10_messages_without_any_name_are_told_apart_by_their_octets() {
    let (first, second) = fingerprints(source("q10-nameless-messages.txt").await).await;
    assert_ne!(first, second);
}

#[tokio::test]
async fn q13_after_a_hangup_under_load_the_rest_is_requested() {
    let mut play = source("q13-groupwise-hangs-up.txt").await;
    let error = play.fetch(&[7, 7]).await.unwrap_err();
    assert_eq!((error.scope, error.retry), (Scope::Session, Retry::Now));
    play.mailbox.reconnect().await.unwrap();
    let (told, missing) = play.fetch_these(&[(2, 7)]).await.unwrap();
    play.done().await;
    assert_eq!((told, missing), (vec!["2: again\r\n".to_owned()], Vec::<(_, Missing)>::new()));
}
