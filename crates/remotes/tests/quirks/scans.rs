//! Rows 130 to 139: incomplete scans, and the numbering of folders.

use mailhaul_engine::Mailbox as _;
use mailhaul_mail::Uid;

use crate::{
    scene::{folders, inbox, pass},
    sessions::cursor,
    support::{source, target},
};

#[tokio::test]
async fn uidvalidity_0_in_status_is_no_answer() {
    let mut play = target("q130-dovecot-status-0.txt").await;
    play.mailbox.folders().await.unwrap();
    for _ in 0..2 {
        let status = play.mailbox.status(&inbox()).await.unwrap();
        assert_eq!((status.uid_validity.get(), status.messages), (77, 2));
        assert_eq!(status.uid_next.map(Uid::get), Some(3));
    }
    play.done().await;
}

#[tokio::test]
async fn a_folder_whose_state_is_refused_is_opened_for_it() {
    let mut play = source("q130-imap4d-status-refused.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX"]);
    assert_eq!(play.mailbox.status(&inbox()).await.unwrap().uid_validity.get(), 77);
    play.done().await;
}

#[tokio::test]
async fn a_uidvalidity_of_64_bits_is_kept_as_it_is() {
    let passed = pass("q131-uidvalidity-64-bits.txt").await;
    passed.brought(&["INBOX: one"]);
    assert!(passed.told.is_empty() && passed.remarks().is_empty(), "{:?}", passed.told);
}

#[tokio::test]
async fn a_folder_without_uidvalidity_is_copied_with_a_warning() {
    for name in ["q132-uidvalidity-zero.txt", "q132-uidvalidity-none.txt"] {
        let passed = pass(name).await;
        passed.brought(&["INBOX: one"]);
        let [remark] = passed.remarks()[..] else { panic!("{:?}", passed.remarks()) };
        assert!(remark.contains("sends no UIDVALIDITY"), "{remark}");
    }
}

#[tokio::test]
async fn uids_above_32_bits_are_told_with_the_figure() {
    let passed = pass("q133-uids-above-32-bits.txt").await;
    let [failed] = passed.told.as_slice() else { panic!("{:?}", passed.told) };
    assert!(failed.contains("folder INBOX") && failed.contains("19564493749, above the 32 bits"), "{failed}");
}

/// The copied messages, the skipped ones, and the reason of a failed folder.
async fn spoilt(name: &str) -> (usize, Vec<String>, Vec<String>) {
    let passed = pass(name).await;
    let tally = &passed.report.folders[0].tally;
    assert!(tally.closes(), "{name}: {tally:?}");
    let skipped = tally.skipped.iter().map(|it| format!("{} {}", it.uid, it.reason)).collect();
    (passed.arrived.len(), skipped, passed.told)
}

#[tokio::test]
async fn one_message_does_not_spoil_the_scan() {
    let (copied, skipped, failed) = spoilt("q134-left-out-once.txt").await;
    assert_eq!((copied, skipped.len(), failed.len()), (5, 0, 0));
    for (name, why) in [
        ("q134-no-flags.txt", "2 the server does not send its flags"),
        ("q134-left-out.txt", "2 the server counts the message and does not show it"),
        ("q134-refused.txt", "2 UID FETCH refused: NO Internal error"),
    ] {
        let (copied, skipped, failed) = spoilt(name).await;
        assert_eq!((copied, failed.len()), (4, 0), "{name}");
        assert_eq!(skipped, [why], "{name}");
    }
    for (name, carried, why) in [
        ("q134-exists-more.txt", 5, "holds 6 messages, and does not show 1 of them: sequence number 6"),
        ("q134-uid-0.txt", 4, "does not show 1 of them: sequence number 1 has the UID 0"),
        ("q134-uid-twice.txt", 4, "does not show 1 of them: sequence numbers 2, 3 have the same UID 2"),
    ] {
        let (copied, skipped, failed) = spoilt(name).await;
        assert_eq!((copied, skipped.len()), (carried, 0), "{name}");
        let [failed] = failed.as_slice() else { panic!("{name}: {failed:?}") };
        assert!(failed.ends_with(why), "{name}: {failed}");
    }
}

#[tokio::test]
async fn a_new_message_missing_in_the_changes_is_searched() {
    let mut play = source("q134-new-one-left-out.txt").await;
    let mut since = cursor(5);
    (since.status.messages, since.status.uid_next) = (1, Uid::new(2));
    let found = play.mailbox.scan(&inbox(), Some(&since)).await.unwrap();
    assert_eq!((found.messages.len(), found.unseen.len(), found.incomplete), (2, 0, None));
    let found = play.mailbox.scan(&inbox(), Some(&since)).await.unwrap();
    assert_eq!(found.messages.len(), 1);
    assert!(found.incomplete.unwrap().contains("does not show 2 of them"));
    // Any known message of the folder may be a hidden one.
    assert!((1..10).all(|it| found.present.contains(Uid::new(it).unwrap())));
    play.done().await;
}

#[tokio::test]
async fn a_target_that_does_not_show_everything_is_not_compared_with() {
    let mut play = target("q134-target.txt").await;
    let error = play.mailbox.scan(&inbox(), None).await.unwrap_err();
    assert_eq!(error.scope, mailhaul_mail::Scope::Folder);
    assert!(
        error.message.ends_with("holds 3 messages, and does not show 1 of them: sequence number 2"),
        "{error}"
    );
    play.done().await;
}

#[tokio::test]
async fn an_unreadable_date_is_taken_from_the_header() {
    let mut play = source("q135-dates.txt").await;
    let scan = play.mailbox.scan(&inbox(), None).await.unwrap();
    let dates: Vec<String> = scan
        .messages
        .iter()
        .map(|it| it.internal_date.map_or_else(|| "none".to_owned(), |date| date.to_string()))
        .collect();
    assert_eq!(
        dates,
        [
            " 1-Feb-2024 09:05:00 -0500",
            " 2-Feb-2024 10:00:00 +0100",
            " 1-Feb-2024 09:05:00 +0100",
            " 3-Feb-2024 10:00:00 +0100",
            " 4-Feb-2024 10:00:00 +0100",
            " 1-Feb-2024 09:05:00 +0100",
            " 5-Feb-2024 10:00:00 +0100",
            "none",
            " 6-Feb-2024 10:00:00 +0100",
        ]
    );
    assert_eq!(scan.dated_by_header.to_string(), "2,4:5,7,9");
    play.done().await;
}
