//! Vanished messages count as gone only if a second fact confirms it.

#![allow(clippy::unwrap_used, reason = "tests")]

use mailhaul_engine::{Cursor, FolderStatus, Mailbox as _, Present, Scan};
use mailhaul_imap::Security;
use mailhaul_mail::{FolderPath, ModSeq, Uid, UidValidity};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side};
use mailhaul_testkit::peer::{alice, peer};

const QRESYNC: &str = "ENABLE CONDSTORE QRESYNC";
const CONDSTORE: &str = "ENABLE CONDSTORE";
const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE)";

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

/// One answer to a scan for each of these UIDs, numbered from `first` on.
fn shown(first: u32, uids: impl IntoIterator<Item = u32>) -> String {
    let date = "01-Jan-2020 00:00:00 +0000";
    let line = |(sequence, uid): (u32, u32)| {
        format!("S: * {sequence} FETCH (UID {uid} FLAGS () INTERNALDATE \"{date}\" RFC822.SIZE 17)\n")
    };
    (first..).zip(uids).map(line).collect::<Vec<_>>().concat()
}

/// UIDs in the form of SEARCH.
fn listed(uids: impl IntoIterator<Item = u32>) -> String {
    let uids: Vec<String> = uids.into_iter().map(|it| format!(" {it}")).collect();
    uids.concat()
}

/// A scan of INBOX, which held ten messages below this UIDNEXT, and holds `exists` now.
async fn scan(extensions: &str, next: u32, exists: u32, talk: &str) -> Scan {
    let enabled = extensions.trim_start_matches("ENABLE ");
    let changes = match extensions {
        QRESYNC => format!("C: t UID FETCH 1:4294967294 {ITEMS} (CHANGEDSINCE 5 VANISHED)"),
        _ => format!("C: t UID FETCH 1:* {ITEMS} (CHANGEDSINCE 5)"),
    };
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello
         LOGIN: NAMESPACE {extensions}
         C: a2 ENABLE {enabled}
         C: a3 NAMESPACE
         S: * ENABLED {enabled}
         S: a2 OK done
         S: * NAMESPACE ((\"\" \"/\")) NIL NIL
         S: a3 OK done
         C: t EXAMINE \"INBOX\" (CONDSTORE)
         S: * {exists} EXISTS
         S: * OK [UIDVALIDITY 1] valid
         S: * OK [UIDNEXT {}] next
         S: * OK [HIGHESTMODSEQ 9] highest
         S: t OK [READ-ONLY] open
         {changes}
         {talk}",
        next + 1
    );
    let peer = peer(&script).await;
    let (options, login) = (peer.options(Security::Clear), Login::Password(alice()));
    let account = Account { side: Side::Source, options, login, user_root: None, profile: None };
    let mut mailbox = ImapMailbox::new(account);
    let status = FolderStatus {
        messages: 10,
        uid_validity: UidValidity::new(1).unwrap(),
        uid_next: Uid::new(next),
        highest_modseq: Some(ModSeq(5)),
    };
    let cursor = Cursor { status, skipped: 0, excluded: 0 };
    let scan = mailbox.scan(&FolderPath::inbox(), Some(&cursor)).await.unwrap();
    drop(mailbox);
    peer.done().await;
    scan
}

fn keeps(scan: &Scan, uids: impl IntoIterator<Item = u32>) -> bool {
    uids.into_iter().all(|it| scan.present.contains(uid(it)))
}

#[tokio::test]
async fn vanished_messages_that_exists_counts_are_looked_for() {
    for vanished in ["1:9", "3", "1:4"] {
        let (all, new, whole) = (listed(1..=11), shown(11, [11]), shown(1, 1..=11));
        let talk = format!(
            "S: * VANISHED (EARLIER) {vanished}\n{new}S: t OK done
             C: t UID SEARCH ALL\nS: * SEARCH{all}\nS: t OK done
             C: t UID FETCH 1:* {ITEMS}\n{whole}S: t OK done"
        );
        let scan = scan(QRESYNC, 11, 11, &talk).await;
        assert_eq!(scan.messages.len(), 11);
        assert!(keeps(&scan, 1..=11), "{vanished}");
    }
}

#[tokio::test]
async fn missing_messages_without_vanished_are_searched() {
    let (all, whole) = (listed(1..=8), shown(1, 1..=8));
    let talk = format!(
        "S: t OK done
         C: t UID SEARCH ALL\nS: * SEARCH{all}\nS: t OK done
         C: t UID FETCH 1:* {ITEMS}\n{whole}S: t OK done"
    );
    let scan = scan(QRESYNC, 11, 8, &talk).await;
    assert!(keeps(&scan, 1..=8) && !scan.present.contains(uid(9)) && !scan.present.contains(uid(10)));
}

#[tokio::test]
async fn many_vanished_messages_are_confirmed_by_search() {
    let talk = "S: * VANISHED (EARLIER) 1:6\nS: t OK done
         C: t UID SEARCH ALL\nS: * SEARCH 7 8 9 10\nS: t OK done";
    let scan = scan(QRESYNC, 11, 4, talk).await;
    assert_eq!(scan.present, Present::AllBut("1:6".parse().unwrap()));
}

#[tokio::test]
async fn few_vanished_messages_are_believed_where_the_count_agrees() {
    let new = shown(9, [11]);
    let talk = format!("S: * VANISHED (EARLIER) 2,5\n{new}S: t OK done");
    let scan = scan(QRESYNC, 11, 9, &talk).await;
    assert_eq!((scan.present, scan.messages.len()), (Present::AllBut("2,5".parse().unwrap()), 1));
}

#[tokio::test]
async fn sequence_numbers_in_place_of_uids_are_noticed() {
    let (numbers, new, whole) = (listed(1..=11), shown(11, [1_011]), shown(1, 1_001..=1_011));
    let talk = format!(
        "{new}S: t OK done
         C: t UID SEARCH ALL\nS: * SEARCH{numbers}\nS: t OK done
         C: t UID FETCH 1:* {ITEMS}\n{whole}S: t OK done"
    );
    let scan = scan(CONDSTORE, 1_011, 11, &talk).await;
    assert!(keeps(&scan, 1_001..=1_011));
}

#[tokio::test]
async fn where_search_lacks_many_messages_fetch_is_asked_too() {
    let uids = |uids: [u32; 4]| -> String {
        let line = |(sequence, uid)| format!("S: * {sequence} FETCH (UID {uid})\n");
        (1..).zip(uids).map(line).collect::<Vec<_>>().concat()
    };
    let search = "S: t OK done\nC: t UID SEARCH ALL\nS: * SEARCH 7 8 9 10\nS: t OK done";
    let agreed = format!("{search}\nC: t UID FETCH 1:* (UID)\n{}S: t OK done", uids([7, 8, 9, 10]));
    let scan_of = scan(CONDSTORE, 11, 4, &agreed).await;
    assert_eq!(scan_of.present, Present::These("7:10".parse().unwrap()));
    let others = [1, 3, 5, 7];
    let contradicted = format!(
        "{search}\nC: t UID FETCH 1:* (UID)\n{}S: t OK done
         C: t UID FETCH 1:* {ITEMS}\n{}S: t OK done",
        uids(others),
        shown(1, others)
    );
    let scan_of = scan(CONDSTORE, 11, 4, &contradicted).await;
    assert_eq!(scan_of.present, Present::These("1,3,5,7".parse().unwrap()));
}

/// The engine compares the number with STATUS.
#[tokio::test]
async fn a_scan_counts_without_what_was_expunged_meanwhile() {
    let expunged = "S: * 1 EXPUNGE\n".repeat(9);
    let talk = format!(
        "{}S: t OK done
         C: t UID SEARCH ALL\nS: t NO not now
         C: t UID FETCH 1:* (UID)\nS: t NO not now
         C: t UID FETCH 1:* {ITEMS}\n{expunged}{}S: t OK done",
        shown(10, [10]),
        shown(1, [10])
    );
    let scan = scan(CONDSTORE, 11, 10, &talk).await;
    assert_eq!((scan.messages.len(), scan.status.messages), (1, 1));
}
