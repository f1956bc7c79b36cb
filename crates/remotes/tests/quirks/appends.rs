//! Rows 20 to 33 and 43 to 45: refusals of targets, and their words.

use mailhaul_engine::{ErrorKind, Mailbox as _, Target as _};
use mailhaul_mail::{FolderPath, Retry, Scope};

use crate::support::target;

/// A refusal of one message.
const ALONE: &str = "message, Refused, Never: APPEND refused: ";

#[tokio::test]
async fn q20_nul_bytes_are_refused_and_the_rest_continues() {
    let mut play = target("q20-cyrus-nul.txt").await;
    let (told, ended) = play.append(&[("", "a\0b\r\n"), ("", "\0\r\n"), ("", "plain\r\n")]).await;
    play.done().await;
    ended.unwrap();
    let refused = format!("{ALONE}NO Message contains NUL characters");
    assert_eq!(told, [format!("1: {refused}"), format!("2: {refused}"), "3: at 7".to_owned()]);
}

#[tokio::test]
async fn q21_a_message_with_a_hangup_is_refused_for_good() {
    let mut play = target("q21-gmail-nul.txt").await;
    let (told, ended) = play.append(&[("", "first\r\n"), ("", "a\0b\r\n")]).await;
    let error = ended.unwrap_err();
    assert_eq!((error.scope, error.retry), (Scope::Session, Retry::Now));
    let refused = "2: message, Refused, Never: at this message the server closed the connection: BYE Invalid character \
                   in literal";
    assert_eq!(told, ["1: at 7", refused]);
    play.mailbox.reconnect().await.unwrap();
    let (told, ended) = play.append_from(3, &[("", "third\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["3: at 8"]);
}

#[tokio::test]
async fn q21_the_third_hangup_at_a_message_skips_it() {
    let mut play = target("q21-hangs-up-again.txt").await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let (answers, ended) = play.append(&[("", "strange\r\n")]).await;
        assert_eq!(ended.unwrap_err().scope, Scope::Session);
        told.extend(answers);
        play.mailbox.reconnect().await.unwrap();
    }
    play.done().await;
    let refused = "1: message, Refused, Never: at this message the server closed the connection: BYE Internal error \
                   occurred";
    assert_eq!(told, [refused]);
}

#[tokio::test]
async fn q21_messages_in_flight_at_a_hangup_are_sent_one_by_one() {
    let mut play = target("q21-hangs-up-in-a-command.txt").await;
    let messages = [("", "A:1\r\n"), ("", "B:2\r\n")];
    let (told, ended) = play.append(&messages).await;
    assert_eq!((told.len(), ended.unwrap_err().scope), (0, Scope::Session));
    play.mailbox.reconnect().await.unwrap();
    let (told, ended) = play.append(&messages).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7", "2: at 8"]);
}

#[tokio::test]
async fn q22_headers_that_are_none_are_refused_with_the_servers_words() {
    let mut play = target("q22-cyrus-headers.txt").await;
    let messages =
        ["Subject: Grüße", "no colon", "To: a,\r\nb", "Subject: fine"].map(|it| format!("{it}\r\n\r\nx\r\n"));
    let messages: Vec<(&str, &str)> = messages.iter().map(|it| ("", it.as_str())).collect();
    let (told, ended) = play.append(&messages).await;
    play.done().await;
    ended.unwrap();
    let refused = format!("{ALONE}NO Message contains invalid header");
    assert_eq!(
        told,
        [format!("1: {refused}"), format!("2: {refused}"), format!("3: {refused}"), "4: at 7".into()]
    );
}

#[tokio::test]
async fn q23_a_message_that_begins_with_from_is_sent_as_it_is() {
    let mut play = target("q23-mbox-line.txt").await;
    let message = "From anna Mon Jan  1 00:00:00 2020\r\nSubject: one\r\n\r\nx\r\n";
    let (told, ended) = play.append(&[("", message)]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7"]);
}

#[tokio::test]
async fn q24_bare_newlines_are_sent_unchanged() {
    let mut play = target("q24-bare-newlines.txt").await;
    let (told, ended) = play.append(&[("", "Subject: one\n\nx\n"), ("", "Subject: one\n\ny\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, [format!("1: {ALONE}NO Message contains bare newlines"), "2: at 7".to_owned()]);
}

#[tokio::test]
async fn q25_a_missing_last_line_end_is_not_repaired_unasked() {
    let mut play = target("q25-yahoo-final-crlf.txt").await;
    let (told, ended) = play.append(&[("", "no end"), ("", "an end\r\n")]).await;
    play.done().await;
    ended.unwrap();
    let refused = format!("1: {ALONE}BAD [CLIENTBUG] APPEND Command arguments invalid");
    assert_eq!(told, [refused, "2: at 7".to_owned()]);
}

#[tokio::test]
async fn q26_long_lines_are_not_sent_or_named() {
    let mut play = target("q26-microsoft-long-lines.txt").await;
    assert_eq!(play.mailbox.profile().profile.name, "generic");
    let (far_too_long, too_long) = ("x".repeat(20_000) + "\r\n", "x".repeat(10_000) + "\r\n");
    // This one is sent in pieces: its long lines are known after they have passed.
    let large = too_long.repeat(4);
    let messages = [
        ("", far_too_long.as_str()),
        ("", too_long.as_str()),
        ("", "short\r\n"),
        ("", large.as_str()),
        ("", "fine\r\n"),
    ];
    let (told, ended) = play.append(&messages).await;
    assert_eq!(play.mailbox.profile().profile.name, "Microsoft 365");
    play.done().await;
    ended.unwrap();
    let refused = "BAD Command Argument Error. 11";
    assert_eq!(
        told,
        [
            "1: message, Refused, Never: its longest line has 20000 bytes, and the target refuses lines of more than 10500",
            &format!(
                "2: {ALONE}{refused}; its longest line has 10000 bytes, and this kind of server accepts about 10500"
            ),
            &format!("3: {ALONE}{refused}"),
            &format!(
                "4: {ALONE}{refused}; its longest line has 10000 bytes, and this kind of server accepts about 10500"
            ),
            "5: at 7",
        ]
    );
}

#[tokio::test]
async fn q27_a_server_that_counts_errors_gets_a_new_connection() {
    let mut play = target("q27-microsoft-error-budget.txt").await;
    let mut messages = vec![("", "bad\r\n"); 10];
    messages.push(("", "fine\r\n"));
    let (told, ended) = play.append(&messages).await;
    play.done().await;
    ended.unwrap();
    assert_eq!((told.len(), told[10].as_str()), (11, "11: at 7"));
    assert!(told[..10].iter().all(|it| it.ends_with("BAD Command Argument Error. 11")), "{told:?}");
}

#[tokio::test]
async fn q28_exchange_tells_its_size_limit_in_words() {
    let mut play = target("q28-exchange-size.txt").await;
    let (told, ended) = play.append(&[("", "too large\r\n"), ("", "fine\r\n")]).await;
    play.done().await;
    ended.unwrap();
    let refused = "1: message, TooLarge, Never: APPEND refused: NO Maximum size of appendable message has been \
                   exceeded. 15";
    assert_eq!(told, [refused, "2: at 7"]);
}

#[tokio::test]
async fn q29_messages_above_a_told_limit_are_not_sent() {
    for name in ["q29-append-limit.txt", "q29-append-limit-of-a-folder.txt"] {
        let mut play = target(name).await;
        let inbox = FolderPath::inbox();
        play.mailbox.status(&inbox).await.unwrap();
        assert_eq!(play.mailbox.largest(&inbox), Some(10), "{name}");
        let (told, ended) = play.append(&[("", "123456789\r\n"), ("", "12345678\r\n")]).await;
        play.done().await;
        ended.unwrap();
        let refused =
            "1: message, TooLarge, Never: the message has 11 bytes, and the target accepts at most 10";
        assert_eq!(told, [refused, "2: at 7"], "{name}");
    }
}

#[tokio::test]
async fn q30_what_icloud_calls_too_big_is_too_large() {
    let mut play = target("q30-icloud-too-big.txt").await;
    let (told, ended) = play.append(&[("", "too big\r\n"), ("", "fine\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(
        told,
        ["1: message, TooLarge, Never: APPEND refused: BAD Cannot upload message, TOOBIG", "2: at 7"]
    );
}

#[tokio::test]
async fn q150_an_untagged_bad_refuses_the_message() {
    let mut play = target("q150-untagged-bad.txt").await;
    let (told, ended) = play.append(&[("", "too big\r\n"), ("", "fine\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, [format!("1: {ALONE}BAD command line limit exceeded"), "2: at 7".to_owned()]);
}

#[tokio::test]
async fn q150_an_untagged_bad_explains_a_missing_answer() {
    let mut play = target("q150-untagged-bad-late.txt").await;
    let (told, ended) = play.append(&[("", "too big\r\n")]).await;
    let error = ended.unwrap_err();
    play.done().await;
    assert!(told.is_empty() && error.message.contains("BAD command line limit exceeded"), "{error}");
}

#[tokio::test]
async fn q31_a_full_exchange_is_told_from_a_busy_one_by_its_quota() {
    let table = [
        ("q31-exchange-full.txt", "1: endpoint, Quota, Never: "),
        ("q31-exchange-busy.txt", "1: mailbox, Busy, After(None): "),
        ("q31-exchange-without-quota.txt", "1: endpoint, Quota, Never: "),
    ];
    for (name, begins) in table {
        let mut play = target(name).await;
        let (told, ended) = play.append(&[("", "one\r\n")]).await;
        play.done().await;
        ended.unwrap();
        let [told] = told.as_slice() else { panic!("{name}: {told:?}") };
        assert!(told.starts_with(begins) && told.ends_with("NO Server Unavailable. 15"), "{name}: {told}");
    }
}

#[tokio::test]
async fn q32_a_full_mailbox_stops_the_mailbox_whatever_its_words() {
    for name in
        ["q32-over-quota-1.txt", "q32-over-quota-2.txt", "q32-over-quota-3.txt", "q32-over-quota-4.txt"]
    {
        let mut play = target(name).await;
        let (told, ended) = play.append(&[("", "one\r\n"), ("", "two\r\n")]).await;
        play.done().await;
        ended.unwrap();
        assert_eq!(told[0], "1: at 7", "{name}");
        assert!(told[1].starts_with("2: endpoint, Quota, Never: "), "{name}: {told:?}");
    }
}

#[tokio::test]
async fn q33_a_virus_is_skipped_with_the_servers_words() {
    let mut play = target("q33-virus.txt").await;
    let (told, ended) = play.append(&[("", "EICAR\r\n"), ("", "fine\r\n")]).await;
    play.done().await;
    ended.unwrap();
    let refused = format!("1: {ALONE}NO Message refused: virus found (Eicar-Test-Signature)");
    assert_eq!(told, [refused, "2: at 7".to_owned()]);
}

#[tokio::test]
async fn q34_a_deleted_folder_is_created_and_compared_again() {
    let mut play = target("q34-try-create.txt").await;
    let (told, ended) = play.append_to("Work", &[("", "one\r\n")]).await;
    play.done().await;
    let error = ended.unwrap_err();
    assert_eq!((error.scope, error.retry, error.kind), (Scope::Session, Retry::Now, ErrorKind::Connection));
    assert!(
        error.message.ends_with("NO [TRYCREATE] Mailbox does not exist: Work; the folder was created again"),
        "{error}"
    );
    assert!(told.is_empty(), "{told:?}");
}

/// The message may be the reason: the engine tries others.
#[tokio::test]
async fn q34_trycreate_for_an_existing_folder_refuses_the_message() {
    let mut play = target("q34-try-create-again.txt").await;
    let (told, ended) = play.append_to("Work", &[("", "one\r\n")]).await;
    assert_eq!((told.len(), ended.unwrap_err().scope), (0, Scope::Session));
    let (told, ended) = play.append_to("Work", &[("", "one\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert!(told[0].starts_with("1: folder, Refused, Never: "), "{told:?}");
}

#[tokio::test]
async fn q43_without_uidplus_nothing_is_guessed() {
    let mut play = target("q43-without-uidplus.txt").await;
    let (told, ended) = play.append(&[("", "one\r\n"), ("", "two\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: somewhere", "2: somewhere"]);
}

#[tokio::test]
async fn q44_a_folder_is_opened_anew_to_be_looked_into() {
    let mut play = target("q44-courier-no-exists.txt").await;
    let (told, ended) = play.append(&[("", "one\r\n")]).await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7"]);
    let scan = play.mailbox.scan(&FolderPath::inbox(), None).await.unwrap();
    play.done().await;
    assert_eq!(scan.messages.iter().map(|it| it.uid.get()).collect::<Vec<_>>(), [7]);
}

#[tokio::test]
async fn q45_a_known_copy_on_gmail_counts_once_per_message() {
    let mut play = target("q45-gmail-duplicate.txt").await;
    let (told, ended) = play.append(&[("", "one\r\n"), ("", "one\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7", "2: at 8"]);
}
