//! Rows 140 to 149: wrong and missing bodies.

use mailhaul_engine::{ErrorKind, Mailbox as _, Missing};
use mailhaul_mail::Scope;

use crate::{
    scene::pass,
    support::{source, uid},
};

/// Quirk 140.
#[tokio::test]
async fn a_large_body_whose_length_is_told_too_small_is_skipped() {
    let passed = pass("q140-domino-length-too-small.txt").await;
    passed.brought(&["INBOX: one", "INBOX: six"]);
    assert_eq!(passed.sizes, [300_000, 300_000]);
    assert_eq!(
        passed.skipped(),
        ["the server's answer with this message could not be read three times: \
          the server's answer with the message of UID 2 does not end where it says"]
    );
}

/// Quirk 141.
#[tokio::test]
async fn a_small_body_whose_length_is_told_wrong_is_skipped() {
    for name in ["q141-length-too-small.txt", "q141-length-too-large.txt"] {
        let passed = pass(name).await;
        passed.brought(&["INBOX: one", "INBOX: six"]);
        assert_eq!(passed.sizes, [17, 17], "{name}");
        assert_eq!(passed.skipped().len(), 1, "{name}: {:?}", passed.skipped());
    }
}

const CLOSED: &str = "the server closed the connection within this message three times";

/// Quirk 142.
#[tokio::test]
async fn messages_at_which_the_server_hangs_up_are_skipped() {
    let passed = pass("q142-hangs-up-within-a-message.txt").await;
    passed.brought(&["INBOX: one", "INBOX: six"]);
    assert_eq!(passed.skipped(), [CLOSED; 2]);
    assert_eq!(passed.waits, [0.0], "both are dealt with after the first break");
}

/// Quirk 142.
#[tokio::test]
async fn a_large_message_at_which_the_server_hangs_up_is_skipped() {
    let passed = pass("q142-hangs-up-within-a-large-message.txt").await;
    passed.brought(&["INBOX: one", "INBOX: six"]);
    assert_eq!(passed.sizes, [300_000, 300_000]);
    assert_eq!(passed.skipped(), [CLOSED]);
}

/// Quirk 143.
#[tokio::test]
async fn words_of_patience_about_one_message_skip_that_message() {
    let passed = pass("q143-yahoo-unavailable.txt").await;
    passed.brought(&["INBOX: one", "INBOX: six"]);
    let words = "UID FETCH refused: NO [UNAVAILABLE] UID FETCH Server error while fetching messages";
    assert_eq!((passed.skipped(), passed.waits.len()), (vec![words], 0));
    let passed = pass("q143-yahoo-later.txt").await;
    passed.brought(&["INBOX: two", "INBOX: six"]);
    let words = "UID FETCH refused: NO UID FETCH Server error - Please try again later";
    assert_eq!((passed.skipped(), passed.waits.len()), (vec![words], 0));
}

/// Quirk 143.
#[tokio::test]
async fn whom_words_of_patience_mean_is_seen_by_other_messages() {
    let mut play = source("q143-one-of-two.txt").await;
    let (told, missing) = play.fetch_these(&[(2, 17)]).await.unwrap();
    play.done().await;
    let words = "UID FETCH refused: NO Server Unavailable. 15".to_owned();
    assert_eq!((told, missing), (Vec::new(), vec![(uid(2), Missing::Withheld(words))]));
    let mut play = source("q143-all.txt").await;
    let error = play.fetch(&[17; 3]).await.unwrap_err();
    play.done().await;
    assert_eq!((error.scope, error.kind), (Scope::Mailbox, ErrorKind::Busy));
}

/// Quirk 144.
#[tokio::test]
async fn a_text_in_place_of_a_message_is_not_copied() {
    let passed = pass("q144-exchange-placeholder.txt").await;
    passed.brought(&["INBOX: one", "INBOX: six"]);
    assert_eq!(
        passed.skipped(),
        ["the server sends its own text in place of the message: \"Retrieval using the IMAP4 protocol \
          failed for the following message: 2\"; it names the subject Example meeting"]
    );
}

/// Quirk 145.
#[tokio::test]
async fn items_that_come_behind_the_body_or_apart_from_it_are_read() {
    pass("q145-xeams-items.txt").await.brought(&["INBOX: one", "INBOX: two", "INBOX: six"]);
}

/// Quirk 146.
#[tokio::test]
async fn a_message_with_many_parts_is_read_to_its_end() {
    let mut play = source("q146-many-parts.txt").await;
    let (told, missing) = play.fetch(&[0, 5]).await.unwrap();
    play.done().await;
    assert_eq!((told.len(), missing), (2, Vec::new()));
    assert!(told[1].starts_with("1: ") && told[1].ends_with("--x--\r\n"), "{told:?}");
}

/// Quirk 147.
#[tokio::test]
async fn a_body_of_another_size_than_told_must_come_alike_each_time() {
    let mut play = source("q147-shorter-than-told.txt").await;
    let (told, missing) = play.fetch(&[5; 5]).await.unwrap();
    play.done().await;
    assert_eq!(told, ["1: hello", "2: hello", "3: hello", "4: hello"]);
    let words =
        "the server sends 2 bytes, different ones each time, of a message, and tells a size of 5".to_owned();
    assert_eq!(missing, [(uid(5), Missing::Withheld(words))]);
}

/// Quirk 147.
#[tokio::test]
async fn the_body_of_another_message_is_known_by_its_header() {
    let mut play = source("q147-of-another-message.txt").await;
    let (told, missing) = play.fetch(&[25, 25, 25, 25, 90]).await.unwrap();
    play.done().await;
    assert_eq!(told.len(), 4);
    let words = "the server sends 31 bytes of a message, and tells a size of 90, and their header is that of another message";
    assert_eq!(missing, [(uid(5), Missing::Withheld(words.to_owned()))]);
}

/// Quirk 147.
#[tokio::test]
async fn a_large_body_that_ends_within_a_line_is_skipped() {
    let mut play = source("q147-large.txt").await;
    let (told, missing) = play.fetch(&[25, 25, 25, 25, 600_000]).await.unwrap();
    play.done().await;
    assert_eq!(told.len(), 4);
    let words =
        "the server sends 300000 bytes of a message, and tells a size of 600000, and they end within a line";
    assert_eq!(missing, [(uid(5), Missing::Withheld(words.to_owned()))]);
}

/// Quirk 147.
#[tokio::test]
async fn where_sizes_are_estimates_three_messages_are_checked() {
    let mut play = source("q147-estimates.txt").await;
    let (told, missing) = play.fetch(&[31, 31, 31, 31, 31]).await.unwrap();
    play.done().await;
    assert_eq!((told.len(), missing), (5, Vec::new()));
}

/// Quirk 148.
#[tokio::test]
async fn parts_that_were_not_asked_for_are_no_message() {
    let mut play = source("q148-parts.txt").await;
    let (told, missing) = play.fetch(&[5, 300_000]).await.unwrap();
    play.done().await;
    assert_eq!(told, ["2: 300000 follow"]);
    let words = "the server sends a part of the message that was not requested, and not the message";
    assert_eq!(missing, [(uid(1), Missing::Withheld(words.to_owned()))]);
}

/// Quirk 149.
#[tokio::test]
async fn a_body_far_larger_than_told_is_given_up() {
    let mut play = source("q149-larger-than-told.txt").await;
    let mut last = None;
    for _ in 0..2 {
        last = Some(play.fetch(&[5, 350]).await);
        play.mailbox.reconnect().await.unwrap();
    }
    play.done().await;
    let (told, missing) = last.unwrap().unwrap();
    assert_eq!(told, ["1: hello"]);
    let words = "the server's answer with this message could not be read three times: the server announces 4000000000 \
                 bytes for the message of UID 2, and tells a size of 350";
    assert_eq!(missing, [(uid(2), Missing::Withheld(words.to_owned()))]);
}
