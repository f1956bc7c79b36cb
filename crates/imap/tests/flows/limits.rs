//! A server that deals with a number of messages at a time (RFC 9738), and one that tells UIDs alone (RFC 9586).

use mailhaul_imap::{ErrorKind, MailboxName, SearchKey, SelectOptions, StoreMode};
use mailhaul_mail::{Flags, UidSet};
use mailhaul_testkit::peer::{finish, session};

const SELECTED: &str = "C: a1 SELECT \"INBOX\"
    S: * 8 EXISTS
    S: a1 OK [READ-WRITE] done\n";

fn uids(text: &str) -> UidSet {
    text.parse().unwrap()
}

fn inbox() -> MailboxName {
    MailboxName::from_wire("INBOX")
}

#[tokio::test]
async fn a_set_is_split_by_the_message_limit_of_the_server() {
    let script = format!(
        "{SELECTED}C: a2 UID STORE 1:3 +FLAGS.SILENT (\\Seen)
         S: a2 OK done
         C: a3 UID STORE 4,7 +FLAGS.SILENT (\\Seen)
         S: a3 OK done
         C: a4 UID COPY 1:3 \"INBOX\"
         S: a4 OK [COPYUID 5 1:3 11:13] done
         C: a5 UID COPY 4 \"INBOX\"
         S: a5 OK [COPYUID 5 4 14] done"
    );
    let (mut session, peer) = session("MESSAGELIMIT=3", &script).await;
    finish(peer, async move {
        let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
        let seen: Flags = ["\\Seen"].into_iter().collect();
        selected.uid_store(&uids("1:4,7"), StoreMode::Add, &seen).await.unwrap();
        assert_eq!(selected.uid_copy(&uids("1:4"), &inbox()).await.unwrap().pairs.len(), 4);
    })
    .await;
}

/// The server does not announce the limit. Its answer contains the smallest UID that it processed.
#[tokio::test]
async fn what_is_left_undone_is_asked_for() {
    let script = format!(
        "{SELECTED}C: a2 UID FETCH 1:* (UID)
         S: * 8 FETCH (UID 18)
         S: * 7 FETCH (UID 17)
         S: a2 OK [MESSAGELIMIT 2 17] done with 2 partial results
         C: a3 UID FETCH 1:16 (UID)
         S: * 6 FETCH (UID 4)
         S: a3 OK done
         C: a4 UID SEARCH ALL
         S: * SEARCH 17 18
         S: a4 OK [MESSAGELIMIT 2 17] done with 2 partial results
         C: a5 UID SEARCH ALL UID 1:16
         S: * SEARCH 4
         S: a5 OK done
         C: a6 UID STORE 4:5 +FLAGS.SILENT (\\Seen)
         S: a6 OK [MESSAGELIMIT 1 5] partial
         C: a7 UID STORE 4 +FLAGS.SILENT (\\Seen)
         S: a7 OK done"
    );
    let (mut session, peer) = session("", &script).await;
    finish(peer, async move {
        let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
        assert_eq!(selected.uids_among(&UidSet::all()).await.unwrap(), uids("4,17:18"));
        assert_eq!(selected.uid_search(&[SearchKey::All]).await.unwrap(), uids("4,17:18"));
        let seen: Flags = ["\\Seen"].into_iter().collect();
        selected.uid_store(&uids("4:5"), StoreMode::Add, &seen).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_set_that_is_refused_as_too_large_is_asked_for_in_parts() {
    let script = format!(
        "{SELECTED}C: a2 UID FETCH 4:6 (UID)
         S: a2 NO [MESSAGELIMIT 2] too many messages
         C: a3 UID FETCH 4:5 (UID)
         C: a4 UID FETCH 6 (UID)
         S: * 1 FETCH (UID 4)
         S: a3 OK done
         S: * 3 FETCH (UID 6)
         S: a4 OK done"
    );
    let (mut session, peer) = session("", &script).await;
    finish(peer, async move {
        let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
        assert_eq!(selected.uids_among(&uids("4:6")).await.unwrap(), uids("4,6"));
    })
    .await;
}

/// It would be asked for ever.
#[tokio::test]
async fn a_server_that_does_nothing_of_what_is_left_is_an_error() {
    let script = format!(
        "{SELECTED}C: a2 UID FETCH 1:3 (UID)
         S: a2 OK [MESSAGELIMIT 2 9] partial"
    );
    let (mut session, peer) = session("", &script).await;
    let error = finish(peer, async move {
        let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
        selected.uids_among(&uids("1:3")).await.unwrap_err()
    })
    .await;
    assert_eq!(error.kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn uidfetch_has_uids_in_place_of_sequence_numbers() {
    let script = format!(
        "C: a1 ENABLE UIDONLY
         S: * ENABLED UIDONLY
         S: a1 OK done
         {}C: a3 UID FETCH 4:9 (UID)
         S: * 4 UIDFETCH (FLAGS (\\Seen))
         S: * VANISHED 5,7
         S: * 9 UIDFETCH (UID 9)
         S: a3 OK done",
        SELECTED.replace("a1", "a2")
    );
    let (mut session, peer) = session("ENABLE UIDONLY", &script).await;
    finish(peer, async move {
        session.enable(&["UIDONLY"]).await.unwrap();
        let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
        assert_eq!(selected.uids_among(&uids("4:9")).await.unwrap(), uids("4,9"));
        assert_eq!(selected.data().exists, 6);
    })
    .await;
}
