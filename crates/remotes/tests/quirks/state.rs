//! Rows 80 to 110, and 120 to 129: folders, their UIDVALIDITY, and their contents.

use mailhaul_engine::{Error, ErrorKind, Mailbox as _, NewFolder, Present, Target as _};
use mailhaul_mail::{FolderPath, Scope, Uid, UidSet};

use crate::{
    log::Log,
    scene::{folders, inbox, pass},
    sessions::cursor,
    support::{source, target},
};

fn uids(numbers: &[u32]) -> UidSet {
    numbers.iter().filter_map(|it| Uid::new(*it)).collect()
}

#[tokio::test]
async fn the_prefix_of_a_namespace_is_not_part_of_a_folder() {
    let mut play = source("q80-courier-inbox-prefix.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2", "Sent 2", "Sent/2020 2"]);
    play.done().await;
}

#[tokio::test]
async fn a_namespace_that_is_missing_or_refused_is_done_without() {
    let mut play = source("q81-no-namespace.txt").await;
    for _ in 0..2 {
        assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2", "Sent 2"]);
        play.mailbox.reconnect().await.unwrap();
    }
    play.done().await;
}

#[tokio::test]
async fn a_folder_that_ends_connections_is_left() {
    for name in ["q87-exchange-trailing-blank.txt", "q110-zimbra-locked-share.txt"] {
        let passed = pass(name).await;
        passed.brought(&["INBOX: one", "Post: two"]);
        assert!(passed.waits.is_empty(), "{:?}", passed.waits);
        let [failed] = passed.told.as_slice() else { panic!("{:?}", passed.told) };
        assert!(
            failed.starts_with("Old  failed:") && failed.contains("3 connections ended there"),
            "{failed}"
        );
    }
}

#[tokio::test]
async fn parents_that_cannot_be_opened_are_not_asked_for_their_state() {
    let mut play = source("q92-noselect-parents.txt").await;
    let told = folders(&mut play.mailbox).await.unwrap();
    assert_eq!(told, ["INBOX 2", "(Archive)", "Archive/2020 2", "(Lost)"]);
    play.done().await;
}

#[tokio::test]
async fn what_is_listed_and_is_no_folder_is_left_and_told() {
    let passed = pass("q93-uw-imap-home.txt").await;
    passed.brought(&["INBOX: one", "mail/Sent: two"]);
    let [failed] = passed.told.as_slice() else { panic!("{:?}", passed.told) };
    assert!(failed.starts_with(".profile failed:") && failed.contains("not a mailbox"), "{failed}");
}

#[tokio::test]
async fn a_folder_with_a_new_uidvalidity_is_scanned_again() {
    let passed = pass("q97-uidvalidity-flaps.txt").await;
    passed.brought(&["INBOX: one", "INBOX: two"]);
    assert!(passed.told[1].contains("changed UIDVALIDITY meanwhile (from 1 to 2)"), "{:?}", passed.told);
}

#[tokio::test]
async fn a_folder_with_changing_uidvalidity_is_left() {
    let passed = pass("q97-uidvalidity-never-stays.txt").await;
    passed.brought(&["Post: two"]);
    let failed = passed.told.last().unwrap();
    assert!(
        failed.starts_with("INBOX failed:") && failed.contains("changed UIDVALIDITY meanwhile (from 5 to 6)"),
        "{failed}"
    );
}

#[tokio::test]
async fn select_is_believed_where_examine_makes_numbers_up() {
    let mut play = source("q98-courier-examine.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    let first = play.mailbox.scan(&inbox(), None).await.unwrap();
    play.mailbox.status(&inbox()).await.unwrap();
    let second = play.mailbox.scan(&inbox(), None).await.unwrap();
    assert_eq!((first.status.uid_validity.get(), second.status.uid_validity.get()), (5, 5));
    play.done().await;
}

#[tokio::test]
async fn uidnext_is_not_needed() {
    let passed = pass("q99-courier-no-uidnext.txt").await;
    assert_eq!((passed.error(), passed.arrived.len()), (None, 2));
}

#[tokio::test]
async fn messages_are_known_by_their_uids_whatever_their_numbers() {
    let passed = pass("q100-exchange-wrong-numbers.txt").await;
    passed.brought(&["INBOX: one", "INBOX: two"]);
}

#[tokio::test]
async fn search_is_believed_only_where_it_finds_as_much_as_there_is() {
    let all = Present::These(uids(&[1, 2, 3]));
    for (name, present) in [
        ("q101-search-shows-less.txt", &all),
        ("q102-mail2world-search.txt", &all),
        ("q103-apple-no-search.txt", &Present::These(UidSet::new())),
    ] {
        let mut play = source(name).await;
        assert_eq!(play.mailbox.scan(&inbox(), Some(&cursor(5))).await.unwrap().present, *present, "{name}");
        play.done().await;
    }
}

#[tokio::test]
async fn an_expunged_message_does_not_count_as_empty() {
    let passed = pass("q104-expunged-while-fetching.txt").await;
    passed.brought(&["INBOX: six"]);
    assert!(passed.skipped().is_empty());
    assert_eq!(passed.report.total(|it| it.seen), 1);
}

#[tokio::test]
async fn removed_messages_that_stay_are_an_error() {
    let mut play = target("q105-ftgate-expunge.txt").await;
    let error = play.mailbox.remove_messages(&inbox(), &uids(&[2])).await.unwrap_err();
    assert_eq!((error.scope, error.kind), (Scope::Folder, ErrorKind::Refused));
    assert!(error.message.contains("1 are still there"), "{error}");
    play.done().await;
}

#[tokio::test]
async fn a_server_whose_move_does_not_work_is_made_to_copy() {
    let mut play = target("q106-exchange-move.txt").await;
    let moved = play.mailbox.move_messages(&inbox(), &FolderPath::parse("Sent"), &uids(&[2])).await.unwrap();
    assert_eq!(moved, [(Uid::new(2).unwrap(), Uid::new(9).unwrap())]);
    play.done().await;
}

#[tokio::test]
async fn a_message_without_a_body_is_skipped_with_words() {
    let passed = pass("q107-exchange-calendar.txt").await;
    passed.brought(&["INBOX: one"]);
    assert_eq!(passed.skipped(), ["the server lists the message and does not send it"]);
}

#[tokio::test]
async fn a_message_that_only_a_view_holds_arrives() {
    let passed = pass("q120-view-holds-more.txt").await;
    passed.brought(&["INBOX: one", "Archive: two", "Archive: three"]);
}

#[tokio::test]
async fn where_status_is_refused_the_folder_is_opened() {
    let mut play = target("q121-imap4d-status.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    let status = play.mailbox.status(&inbox()).await.unwrap();
    assert_eq!((status.messages, status.uid_validity.get(), status.uid_next), (3, 7, Uid::new(9)));
    let error = play.mailbox.status(&inbox()).await.unwrap_err();
    assert!(error.message.contains("STATUS Cannot open mailbox"), "{error}");
    play.done().await;
}

#[tokio::test]
async fn a_home_directory_that_is_listed_is_told_once() {
    let log = Log::default();
    log.of(pass("q93-uw-imap-home.txt")).await;
    assert_eq!(log.text().matches("give UserRoot").count(), 1, "{}", log.text());
}

#[tokio::test]
async fn proton_gets_new_folders_below_folders() {
    let created = created("q122-proton-folders.txt", &["Folders/Kunden"]).await;
    assert_eq!(created, [Ok(())]);
    let mut play = target("q122-proton-rules.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    assert_eq!(play.mailbox.name_rules().await.unwrap().roots, ["Folders", "Labels"]);
    play.done().await;
}

#[tokio::test]
async fn target_folders_are_renamed_and_removed_if_empty() {
    let mut play = target("q124-renamed-folder.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    let [old, new] = ["Old", "New"].map(FolderPath::parse);
    let to = |path: &str| NewFolder { path: FolderPath::parse(path), subscribe: true };
    play.mailbox.rename_folder(&old, &to("New")).await.unwrap();
    let error = play.mailbox.rename_folder(&new, &to("Sent")).await.unwrap_err();
    assert_eq!(error.scope, Scope::Folder);
    play.done().await;

    let mut play = target("q124-empty-folder.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    assert!(!play.mailbox.remove_empty_folder(&FolderPath::parse("Parent")).await.unwrap());
    assert!(!play.mailbox.remove_empty_folder(&old).await.unwrap());
    assert!(play.mailbox.remove_empty_folder(&old).await.unwrap());
    play.done().await;
}

#[tokio::test]
async fn mail_that_arrives_in_a_folder_about_to_be_removed_stays() {
    let mut play = target("q124-arrival.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    let old = FolderPath::parse("Old");
    for is_removed in [false, false, true, false, true] {
        assert_eq!(play.mailbox.remove_empty_folder(&old).await.unwrap(), is_removed);
    }
    play.done().await;
}

/// Outcomes of new folders on a target.
async fn created(name: &str, paths: &[&str]) -> Vec<Result<(), String>> {
    let mut play = target(name).await;
    play.mailbox.folders().await.unwrap();
    let new: Vec<NewFolder> =
        paths.iter().map(|it| NewFolder { path: FolderPath::parse(it), subscribe: false }).collect();
    let created = play.mailbox.create_folders(&new).await.unwrap();
    play.done().await;
    let told = |it: Result<(), Error>| {
        it.map_err(|error| {
            assert_eq!(error.scope, Scope::Folder);
            error.message
        })
    };
    created.into_iter().map(told).collect()
}

#[tokio::test]
async fn a_refused_folder_does_not_stop_the_others() {
    let created_below = created("q82-domino-backslash.txt", &["INBOX/x", "Sent/2021"]).await;
    let [Err(refused), Ok(())] = created_below.as_slice() else { panic!("{created_below:?}") };
    assert!(
        refused.contains("folder INBOX/x cannot be created: CREATE refused: NO Create failed"),
        "{refused}"
    );

    let created_below = created("q91-no-inferiors.txt", &["Sent/2020", "Post"]).await;
    let [Err(refused), Ok(())] = created_below.as_slice() else { panic!("{created_below:?}") };
    assert!(refused.contains("doesn't allow inferior mailboxes"), "{refused}");
}

#[tokio::test]
async fn wildcards_quotes_and_backslashes_in_names_are_literal() {
    let mut play = source("q83-odd-names.txt").await;
    folders(&mut play.mailbox).await.unwrap();
    for name in ["a.b", "a*b", "say \"hi\"", "back\\slash"] {
        play.mailbox.scan(&FolderPath::new([name]), None).await.unwrap();
    }
    play.done().await;
}

#[tokio::test]
async fn inbox_is_one_folder_however_it_is_spelt() {
    let mut play = source("q89-inbox-spelling.txt").await;
    assert_eq!(folders(&mut play.mailbox).await.unwrap(), ["INBOX 2", "INBOX/Old 2"]);
    play.done().await;
}

#[tokio::test]
async fn a_server_that_expunges_by_itself_does_no_harm() {
    let mut play = target("q96-gmail-auto-expunge.txt").await;
    play.mailbox.remove_messages(&inbox(), &uids(&[2])).await.unwrap();
    play.done().await;
}
