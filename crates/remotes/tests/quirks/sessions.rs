//! Rows 50 to 68: sessions that end, throttle replies, odd sign-ins.

use mailhaul_engine::{ErrorKind, Mailbox as _};
use mailhaul_mail::{Retry, Scope};

use crate::{
    scene::{folders, inbox, pass},
    support::{source, source_with_tls},
};

const BOTH: [&str; 2] = ["INBOX: one", "INBOX: two"];

#[tokio::test]
async fn a_suggested_backoff_is_respected() {
    let passed = pass("q50-microsoft-365-throttled.txt").await;
    passed.brought(&BOTH);
    assert_eq!(passed.waits, [299.961]);
}

#[tokio::test]
async fn throttled_is_understood_as_a_code_and_within_the_text() {
    let passed = pass("q51-gmail-throttled.txt").await;
    passed.brought(&BOTH);
    assert_eq!(passed.waits, [15.0, 30.0]);
}

#[tokio::test]
async fn a_daily_limit_of_reading_is_no_full_mailbox() {
    let passed = pass("q52-gmail-daily-limit.txt").await;
    passed.brought(&BOTH);
    assert_eq!(passed.waits, [0.0, 86_400.0]);
}

#[tokio::test]
async fn a_connection_that_ends_in_a_message_loses_only_that_one() {
    let passed = pass("q53-gmail-bye-in-fetch.txt").await;
    passed.brought(&["INBOX: one", "INBOX: two", "INBOX: six"]);
    // Progress in between resets the waits.
    assert_eq!(passed.waits, [0.0, 0.0]);
    assert!(passed.told[0].contains("in the middle of a literal"), "{:?}", passed.told);
}

#[tokio::test]
async fn the_reason_of_a_goodbye_may_come_behind_it() {
    let passed = pass("q54-yahoo-limit.txt").await;
    passed.brought(&BOTH);
    assert_eq!(passed.waits, [15.0]);
    assert!(passed.told[0].contains("[LIMIT] UID FETCH Rate limit hit"), "{:?}", passed.told);
}

#[tokio::test]
async fn a_sign_in_is_repeated_if_the_code_allows_it() {
    let passed = pass("q55-codes-at-login.txt").await;
    assert_eq!(passed.waits, [15.0, 30.0, 60.0]);
    let (kind, words) = passed.error().unwrap();
    assert_eq!(kind, ErrorKind::Authentication);
    assert!(words.contains("[CONTACTADMIN] This account is blocked"), "{words}");
}

#[tokio::test]
async fn a_login_that_opens_nothing_is_told_with_its_causes() {
    let passed = pass("q56-exchange-not-connected.txt").await;
    assert!(passed.waits.is_empty());
    let (kind, words) = passed.error().unwrap();
    assert_eq!(kind, ErrorKind::Authentication);
    assert!(words.contains("authenticated but not connected. (the password is right, but"), "{words}");
}

#[tokio::test]
async fn no_password_is_said_before_tls() {
    let name = "q57-exchange-invalid-state.txt";
    let mut play = source_with_tls(name).await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
    play.done().await;
}

#[tokio::test]
async fn a_limit_of_connections_is_an_error_of_its_own() {
    let mut play = source("q58-dovecot-connections.txt").await;
    for (words, scope) in [
        ("Maximum number of connections from user+IP exceeded", Scope::Mailbox),
        ("Maximum connection limit reached", Scope::Endpoint),
    ] {
        let error = folders(&mut play.mailbox).await.unwrap_err();
        let expected = (ErrorKind::TooManyConnections, scope, Retry::After(None));
        assert_eq!((error.kind, error.scope, error.retry), expected, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    play.done().await;
}

#[tokio::test]
async fn a_session_that_ended_while_idle_is_no_failure() {
    let passed = pass("q60-source-autologout.txt").await;
    passed.brought(&BOTH);
    assert!(passed.told.is_empty(), "{:?}", passed.told);
}

#[tokio::test]
async fn what_was_offered_before_the_login_is_not_used_after_it() {
    let mut play = source("q61-capabilities-change.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
    play.done().await;
}

#[tokio::test]
async fn mod_sequences_are_used_where_they_are_told_and_only_there() {
    let mut play = source("q62-icloud-condstore.txt").await;
    let first = play.mailbox.scan(&inbox(), Some(&cursor(5))).await.unwrap();
    assert_eq!(first.messages.len(), 1);
    let second = play.mailbox.scan(&inbox(), Some(&cursor(5))).await.unwrap();
    assert_eq!((second.status.highest_modseq, second.messages.len()), (None, 2));
    play.done().await;
}

/// The state of INBOX at this mod-sequence.
pub(crate) fn cursor(modseq: u64) -> mailhaul_engine::Cursor {
    let status = mailhaul_engine::FolderStatus {
        messages: 2,
        uid_validity: mailhaul_mail::UidValidity::new(1).unwrap(),
        uid_next: None,
        highest_modseq: Some(mailhaul_mail::ModSeq(modseq)),
    };
    mailhaul_engine::Cursor { status, skipped: 0, excluded: 0 }
}

#[tokio::test]
async fn answers_for_the_previous_folder_do_not_count() {
    let mut play = source("q63-zimbra-no-closed.txt").await;
    assert_eq!(play.mailbox.scan(&inbox(), None).await.unwrap().messages.len(), 3);
    let sent = play.mailbox.scan(&mailhaul_mail::FolderPath::parse("Sent"), None).await.unwrap();
    assert_eq!((sent.messages.len(), sent.status.uid_validity.get()), (2, 2));
    play.done().await;
}

#[tokio::test]
async fn special_use_is_asked_for_only_where_it_is_offered() {
    let mut play = source("q64-list-extended-alone.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
    play.done().await;
}

#[tokio::test]
async fn nothing_is_said_before_the_greeting() {
    let mut play = source("q65-late-greeting.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
    play.done().await;
}

#[tokio::test]
async fn a_sign_in_tries_the_next_mechanism() {
    let mut play = source("q66-odd-mechanisms.txt").await;
    for _ in 0..2 {
        assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
        play.mailbox.reconnect().await.unwrap();
    }
    let error = folders(&mut play.mailbox).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert!(error.message.contains("the server takes no password without TLS (LOGINDISABLED)"), "{error}");
    play.done().await;
}

/// Quirk 111.
#[tokio::test]
async fn a_proof_that_cannot_be_checked_costs_one_refusal_each() {
    let mut play = source("q111-proof-not-checked.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
    play.mailbox.reconnect().await.unwrap();
    // The mechanism is known: a wrong password costs one refusal.
    let error = folders(&mut play.mailbox).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
    play.done().await;
}

/// Quirk 112.
#[tokio::test]
async fn a_sign_in_that_ends_at_the_wrong_server_is_done_again() {
    let mut play = source("q112-exchange-wrong-server.txt").await;
    let error = folders(&mut play.mailbox).await.unwrap_err();
    assert_eq!(
        (error.kind, error.scope, error.retry),
        (ErrorKind::Authentication, Scope::Session, Retry::Now)
    );
    assert!(
        error.message.contains("at sign-in it said: Error=\"Microsoft.Exchange.Data.Storage.Wrong"),
        "{error}"
    );
    assert!(!error.message.contains("FullAccess"), "{error}");
    play.mailbox.reconnect().await.unwrap();
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2"]);
    play.done().await;
}

#[tokio::test]
async fn a_goodbye_for_an_expired_token_begins_a_new_session() {
    let passed = pass("q67-token-expired.txt").await;
    passed.brought(&BOTH);
    assert_eq!(passed.waits, [0.0]);
}

#[tokio::test]
async fn sessions_that_end_by_the_clock_are_replaced() {
    let passed = pass("q68-aol-session-lifetime.txt").await;
    assert_eq!((passed.error(), passed.arrived.len()), (None, 9));
    assert_eq!(passed.waits, [0.0; 8]);
}
