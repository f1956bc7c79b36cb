//! Rows 140 to 149: bodies that a server gives wrong, or not at all.

use crate::scene::pass;

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
