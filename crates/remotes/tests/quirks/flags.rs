//! Rows 35 to 42: flags and dates.

use mailhaul_engine::{FlagChange, Mailbox as _, Target as _};
use mailhaul_mail::{Flags, FolderPath, MessageHasher, UidSet};

use crate::{
    log::Log,
    support::{source, target, uid},
};

fn flags(names: &str) -> Flags {
    names.split_whitespace().collect()
}

#[tokio::test]
async fn q35_only_the_named_flag_is_left_out() {
    let logged = Log::default();
    let mut play = target("q35-flag-named.txt").await;
    let one = ("\\Seen work \\FORWARDED", "one\r\n");
    let (told, ended) = logged.of(play.append_from(1, &[one])).await;
    ended.unwrap();
    let refused = "1: message, Refused, Now: APPEND refused: BAD Error in IMAP command APPEND: Invalid system flag \
                   \\FORWARDED";
    assert_eq!(told, [refused]);
    let others = [("\\Seen \\Forwarded", "two\r\n"), one, ("home", "three\r\n")];
    let (told, ended) = logged.of(play.append_from(2, &others)).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["2: at 7", "3: at 8", "4: at 9"]);
    let (log, flag) = (logged.text(), "does not keep the flags \\Forwarded;");
    assert_eq!(log.to_lowercase().matches(&flag.to_lowercase()).count(), 1, "{log}");
}

#[tokio::test]
async fn q35_an_unexplained_refusal_retries_without_keywords() {
    let mut play = target("q35-flag-unnamed.txt").await;
    let one = ("\\Seen EmailswithStickyNotes:FLAG51135", "one\r\n");
    let (told, ended) = play.append_from(1, &[one]).await;
    ended.unwrap();
    assert_eq!(told, ["1: message, Refused, Now: APPEND refused: NO APPEND failed"]);
    let (told, ended) = play.append_from(1, &[one, ("work", "two\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7", "2: at 8"]);
}

#[tokio::test]
async fn q35_keywords_that_are_not_to_blame_go_on_being_sent() {
    let mut play = target("q35-flag-not-to-blame.txt").await;
    let one = ("\\Seen work", "one\r\n");
    let (first, _) = play.append_from(1, &[one]).await;
    let (second, _) = play.append_from(1, &[one, ("work", "two\r\n")]).await;
    play.done().await;
    assert_eq!(first, ["1: message, Refused, Now: APPEND refused: NO APPEND failed"]);
    assert_eq!(second, ["1: message, Refused, Never: APPEND refused: NO APPEND failed", "2: at 8"]);
}

#[tokio::test]
async fn q35_flags_that_are_set_later_are_left_out_in_the_same_way() {
    let mut play = target("q35-store.txt").await;
    let change = FlagChange {
        uids: [uid(7)].into_iter().collect(),
        add: flags("\\Seen bad work"),
        remove: Flags::new(),
    };
    let stored = play.mailbox.store_flags(&FolderPath::inbox(), &[change]).await;
    play.done().await;
    stored.unwrap();
}

#[tokio::test]
async fn q36_keywords_are_sent_if_kept_and_system_flags_always() {
    let table = [
        "q36-permanent-flags-absent.txt",
        "q36-permanent-flags-empty.txt",
        "q36-permanent-flags-empty-folder.txt",
        "q36-permanent-flags-system.txt",
        "q36-permanent-flags-some.txt",
        "q36-permanent-flags-any.txt",
    ];
    for name in table {
        let mut play = target(name).await;
        let all =
            if name.contains("any") { "\\Seen $Forwarded work" } else { "\\Seen \\Answered $Forwarded work" };
        let (told, ended) = play.append(&[(all, "one\r\n")]).await;
        play.done().await;
        ended.unwrap();
        assert_eq!(told, ["1: at 7"], "{name}");
    }
}

#[tokio::test]
async fn q37_recent_is_never_sent() {
    let mut play = target("q37-recent.txt").await;
    let (told, ended) = play.append(&[("\\Recent \\Seen", "one\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7"]);
}

#[tokio::test]
async fn q38_what_the_target_stored_is_looked_at_once() {
    let table = [
        ("q38-stored.txt", None),
        ("q38-stored-shown.txt", Some(uid(7))),
        // Courier.
        ("q38-stored-late.txt", Some(uid(7))),
    ];
    for (name, last) in table {
        let mut play = target(name).await;
        let (told, ended) = play.append(&[("\\Flagged \\Seen", "two\r\n")]).await;
        ended.unwrap();
        assert_eq!(told, ["1: at 7"]);
        let stored =
            play.mailbox.stored(&FolderPath::inbox(), uid(7), last, &UidSet::new()).await.unwrap().messages;
        play.done().await;
        let stored: Vec<(u32, String, u64)> =
            stored.iter().map(|it| (it.uid.get(), it.flags.to_string(), it.size)).collect();
        assert_eq!(stored, [(7, "\\Seen".to_owned(), 5)], "{name}");
    }
}

/// Quirk 38. The list and the bodies take one round trip. A body that the server gives twice is read again; what it
/// lists after the end of the listing does not count.
#[tokio::test]
async fn a_copy_is_listed_and_read_in_one_round_trip() {
    for name in ["q38-stored-read.txt", "q38-stored-read-again.txt"] {
        let mut play = target(name).await;
        play.append(&[("\\Flagged \\Seen", "two\r\n")]).await.1.unwrap();
        let read = UidSet::range(uid(7), uid(7));
        let stored = play.mailbox.stored(&FolderPath::inbox(), uid(7), Some(uid(7)), &read).await.unwrap();
        play.done().await;
        assert_eq!(stored.messages.len(), 1, "{name}");
        let mut hasher = MessageHasher::new();
        hasher.update(b"two\r\n");
        assert_eq!(stored.digests, [(uid(7), hasher.finish().1)], "{name}");
    }
}

#[tokio::test]
async fn q39_a_keyword_that_becomes_a_category_is_not_sent() {
    let mut play = target("q39-microsoft-mdnsent.txt").await;
    let (told, ended) = play.append(&[("\\Seen $MDNSent", "one\r\n")]).await;
    play.done().await;
    ended.unwrap();
    assert_eq!(told, ["1: at 7, bare"]);
}

#[tokio::test]
async fn q42_dates_that_are_none_cost_the_date_and_not_the_message() {
    let mut play = source("q42-dates.txt").await;
    let scan = play.mailbox.scan(&FolderPath::inbox(), None).await.unwrap();
    play.done().await;
    let dates: Vec<Option<i64>> = scan
        .messages
        .iter()
        .map(|it| it.internal_date.map(mailhaul_mail::InternalDate::unix_seconds))
        .collect();
    assert_eq!(dates, [Some(1_578_528_000), Some(1_578_528_000), None, None, None, Some(1_578_520_800)]);
}
