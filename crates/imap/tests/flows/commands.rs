//! The commands, and what breaks a session.

use std::{fmt::Write as _, sync::Arc};

use mailhaul_imap::{
    ChangedMailbox, ChangesQuery, Error, ErrorKind, ListQuery, MailboxName, Qresync, SearchKey,
    SelectOptions, Session, StatusItem, StoreCommand, StoreMode, response::Fetch,
};
use mailhaul_mail::{Flags, ModSeq, Scope, Uid, UidSet, UidValidity};
use mailhaul_testkit::peer::{self, finish, session, session_with};

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn uids(text: &str) -> UidSet {
    text.parse().unwrap()
}

fn inbox() -> MailboxName {
    MailboxName::from_wire("INBOX")
}

const SELECTED: &str = "C: a1 EXAMINE \"INBOX\"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 9] .
    S: * OK [UIDNEXT 12] .
    S: a1 OK [READ-ONLY] done\n";

#[tokio::test]
async fn list_asks_for_what_the_server_offers_and_no_more() {
    let table = [
        ("", "LIST \"\" \"*\""),
        ("SPECIAL-USE", "LIST \"\" \"*\""),
        ("LIST-EXTENDED", "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN)"),
        ("LIST-EXTENDED SPECIAL-USE", "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)"),
        (
            "LIST-EXTENDED LIST-STATUS CONDSTORE",
            "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES HIGHESTMODSEQ))",
        ),
    ];
    for (capabilities, line) in table {
        let script = format!(
            "C: a1 {line}
             S: * LIST (\\HasNoChildren) \"/\" INBOX
             S: * STATUS inbox (MESSAGES 3)
             S: * LIST (\\Sent) \"/\" {{3}}
             S: a\"b
             S: a1 OK done"
        );
        let (mut session, peer) = session(capabilities, &script).await;
        let query = ListQuery {
            status: vec![StatusItem::Messages, StatusItem::HighestModSeq],
            ..ListQuery::default()
        };
        let found = finish(peer, async move { session.list(&query).await }).await.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].status.as_ref().unwrap().messages, Some(3));
        assert_eq!(found[1].item.name.as_wire(), b"a\"b");
        assert_eq!(found[1].status, None);
    }
}

#[tokio::test]
async fn list_does_without_what_the_server_only_pretends_to_have() {
    let script = "C: a1 LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN)
         S: a1 BAD what?
         C: a2 LIST \"\" \"*\"
         S: * LIST () \"/\" INBOX
         S: a2 OK done
         C: a3 LSUB \"\" \"*\"
         S: * LSUB () \"/\" gone
         S: a3 OK done";
    let (mut session, peer) = session("LIST-EXTENDED", script).await;
    let (found, subscribed) = finish(peer, async move {
        let found = session.list(&ListQuery::default()).await.unwrap();
        assert!(!session.list_tells_subscriptions());
        (found, session.lsub(&ListQuery::default()).await.unwrap())
    })
    .await;
    assert_eq!((found.len(), subscribed.len()), (1, 1));
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_read_is_not_passed_over() {
    let script = "C: a1 LIST \"\" \"*\"
         S: * LIST () \"/\" INBOX
         S: * LIST (\\Sent
         S: a1 OK done";
    let (mut session, peer) = session("", script).await;
    let error = finish(peer, async move { session.list(&ListQuery::default()).await.unwrap_err() }).await;
    assert!(error.message.contains("cannot be understood: LIST ("), "{error}");
}

#[tokio::test]
async fn status_of_many_at_once_with_names_that_need_literals() {
    let script = "C: a1 STATUS \"INBOX\" (MESSAGES UIDNEXT)
         C: a2 STATUS {2}
         S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2)
         S: a1 OK done
         S: + go on
         C: \u{fc} (MESSAGES UIDNEXT)
         C: a3 STATUS \"none\" (MESSAGES UIDNEXT)
         C: a4 STATUS \"last\" (MESSAGES UIDNEXT)
         S: a3 NO [NONEXISTENT] no such mailbox
         S: * STATUS last (MESSAGES 4 UIDNEXT 5)
         S: * STATUS \"\u{fc}\" (MESSAGES 2 UIDNEXT 3)
         S: a4 OK done
         S: a2 OK done";
    let names = ["INBOX", "\u{fc}", "none", "last"].map(MailboxName::from_wire);
    let items = [StatusItem::Messages, StatusItem::UidNext, StatusItem::HighestModSeq];
    let (mut session, peer) = session("", script).await;
    let outcomes = finish(peer, async move { session.status_many(&names, &items).await }).await.unwrap();
    let messages: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().ok().and_then(|items| items.messages)).collect();
    assert_eq!(messages, [Some(1), Some(2), None, Some(4)]);
    let error = outcomes[2].as_ref().unwrap_err();
    assert_eq!((error.scope, error.kind), (Scope::Folder, ErrorKind::NotFound));
}

#[tokio::test]
async fn select_with_qresync_after_enable() {
    let script = "C: a1 ENABLE QRESYNC
         S: * ENABLED QRESYNC
         S: a1 OK done
         C: a2 SELECT \"INBOX\" (QRESYNC (9 70 1:50))
         S: * OK [CLOSED] .
         S: * 3 EXISTS
         S: * OK [UIDVALIDITY 9] .
         S: * OK [UIDNEXT 60] .
         S: * OK [HIGHESTMODSEQ 80] .
         S: * OK [PERMANENTFLAGS (\\Seen \\*)] .
         S: * VANISHED (EARLIER) 4:6,9
         S: * 2 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (75))
         S: a2 OK [READ-WRITE] done
         C: a3 NOOP
         S: * 5 EXISTS
         S: * VANISHED 7
         S: a3 OK done
         C: a4 SELECT \"gone\"
         S: a4 NO [NONEXISTENT] no such mailbox";
    let (mut session, peer) = session("ENABLE QRESYNC CONDSTORE", script).await;
    finish(peer, async move {
        session.enable(&["CONDSTORE2", "QRESYNC"]).await.unwrap();
        let qresync =
            Qresync { validity: UidValidity::new(9).unwrap(), modseq: ModSeq(70), known: Some(uids("1:50")) };
        let options = SelectOptions { condstore: true, qresync: Some(qresync) };
        let mut selected = session.select(&inbox(), &options).await.unwrap();
        let data = selected.data().clone();
        assert_eq!((data.exists, data.uid_next, data.highest_modseq), (3, Some(uid(60)), Some(ModSeq(80))));
        assert_eq!(data.vanished, uids("4:6,9"));
        assert_eq!(data.changed[0].uid, Some(uid(7)));
        assert!(!data.read_only && data.permanent_flags.unwrap().contains(&"\\*".to_owned()));
        selected.noop().await.unwrap();
        assert_eq!(session.selected().unwrap().data().exists, 4);

        let gone = MailboxName::from_wire("gone");
        let error = session.select(&gone, &SelectOptions::default()).await.err().unwrap();
        assert_eq!((error.scope, error.kind), (Scope::Folder, ErrorKind::NotFound));
        assert!(session.selected().is_none(), "a refused SELECT unselects");
    })
    .await;
}

#[tokio::test]
async fn search_in_both_ways() {
    for (capabilities, asked, told) in [
        ("", "UID SEARCH UID 5:*", "* SEARCH 4 7 5"),
        ("ESEARCH", "UID SEARCH RETURN (ALL) UID 5:*", "* ESEARCH (TAG \"a2\") UID ALL 4:5,7"),
    ] {
        let script = format!("{SELECTED}C: a2 {asked}\nS: {told}\nS: a2 OK done");
        let (mut session, peer) = session(capabilities, &script).await;
        let found = finish(peer, async move {
            let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
            selected.uid_search(&[SearchKey::From(uid(5))]).await.unwrap()
        })
        .await;
        assert_eq!(found, uids("5,7"), "the last message matches n:* even below n");
    }
}

#[tokio::test]
async fn a_move_without_move() {
    let script = format!(
        "{SELECTED}C: a2 UID COPY 1:2 \"Trash\"
         S: a2 OK [COPYUID 5 1:2 11:12] done
         C: a3 UID STORE 1:2 +FLAGS.SILENT (\\Deleted)
         S: a3 OK done
         C: a4 UID EXPUNGE 1:2
         S: * 1 EXPUNGE
         S: * 1 EXPUNGE
         S: a4 OK done
         C: a5 UNSELECT
         S: a5 OK done"
    );
    let (mut session, peer) = session("UIDPLUS UNSELECT", &script).await;
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let copied = selected.uid_move(&uids("1:2"), &MailboxName::from_wire("Trash")).await.unwrap();
        assert_eq!(copied.pairs, [(uid(1), uid(11)), (uid(2), uid(12))]);
        assert_eq!(selected.data().exists, 1);
        selected.uid_store(&uids("1"), StoreMode::Add, &Flags::new()).await.unwrap();
        selected.unselect().await.unwrap();
        assert!(session.selected().is_none());
    })
    .await;

    let script = format!(
        "{SELECTED}C: a2 UID MOVE 1 \"Trash\"
         S: * OK [COPYUID 5 1 11] moved
         S: * 1 EXPUNGE
         S: a2 OK done"
    );
    let (mut session, peer) = peer::session("MOVE", &script).await;
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let copied = selected.uid_move(&uids("1"), &MailboxName::from_wire("Trash")).await.unwrap();
        assert_eq!(copied.pairs, [(uid(1), uid(11))]);
    })
    .await;
}

#[tokio::test]
async fn changes_of_flags_share_a_round_trip() {
    let script = format!(
        "{SELECTED}C: a2 UID STORE 1 +FLAGS.SILENT (\\Seen)
         C: a3 UID STORE 2 -FLAGS.SILENT (Later)
         C: a4 UID STORE 3 +FLAGS.SILENT (\\Draft)
         S: a3 NO no keywords
         S: a2 OK done
         S: a4 OK done"
    );
    let (mut session, peer) = session("", &script).await;
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let table = [
            ("1", StoreMode::Add, "\\Seen"),
            ("2", StoreMode::Remove, "Later"),
            ("9", StoreMode::Remove, ""),
            ("3", StoreMode::Add, "\\Draft"),
        ];
        let stores = table.map(|(set, mode, flags)| StoreCommand {
            uids: uids(set),
            mode,
            flags: flags.split_whitespace().collect(),
        });
        let results = selected.uid_store_many(&stores).await.unwrap();
        let refusals: Vec<bool> = results.iter().map(Result::is_err).collect();
        assert_eq!(refusals, [false, true, false, false]);
    })
    .await;
}

#[tokio::test]
async fn what_the_server_lacks_is_not_tried() {
    let (mut session, peer) = session("", SELECTED).await;
    let lines = Arc::clone(&peer.lines);
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let error = selected.uid_expunge(&uids("1")).await.unwrap_err();
        assert_eq!((error.kind, error.scope), (ErrorKind::Unsupported, Scope::Folder));
        assert!(selected.uid_move(&uids("1"), &inbox()).await.is_err());
        assert!(session.compress().await.is_err());
        assert_eq!(session.id(&[("name", "x")]).await.unwrap(), []);
        assert_eq!(session.namespace().await.unwrap(), None);
        assert_eq!(session.quota_root(&inbox()).await.unwrap(), []);
        session.enable(&["CONDSTORE"]).await.unwrap();
    })
    .await;
    assert_eq!(lines.all().last().unwrap(), "S: a1 OK [READ-ONLY] done");
}

#[tokio::test]
async fn unselect_without_unselect_never_expunges() {
    let script = "C: a1 SELECT \"INBOX\"
         S: a1 OK [READ-WRITE] done
         C: a2 EXAMINE \"INBOX\"
         S: a2 OK [READ-ONLY] done
         C: a3 CLOSE
         S: a3 OK done
         C: a4 LOGOUT
         S: * BYE see you
         S: a4 OK done";
    let (mut session, peer) = session("", script).await;
    finish(peer, async move {
        session.select(&inbox(), &SelectOptions::default()).await.unwrap().unselect().await.unwrap();
        session.logout().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_dropped_command_is_read_to_its_end() {
    let script = "C: a1 LIST \"\" \"*\"
         S: * LIST () \"/\" old
         C: a2 LIST \"\" \"new\"
         S: * LIST () \"/\" new
         S: a2 OK done";
    // The client is dropped after the first answer; the rest of it comes before the second.
    let script = script.replace("C: a2", "S: * LIST () \"/\" older\nS: a1 OK done\nC: a2");
    let (mut session, peer) = session("", &script).await;
    let lines = Arc::clone(&peer.lines);
    let found = finish(peer, async move {
        {
            let query = ListQuery::default();
            let mut list = std::pin::pin!(session.list(&query));
            // Until something of the answer is here, and not longer.
            while !lines.all().iter().any(|line| line.starts_with("S: * LIST")) {
                tokio::select! {
                    biased;
                    _ = &mut list => break,
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        session.list(&ListQuery { pattern: b"new".to_vec(), ..ListQuery::default() }).await.unwrap()
    })
    .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].item.name.as_wire(), b"new");
}

#[tokio::test]
async fn what_breaks_a_session() {
    let table = [
        ("S: a7 OK surprise", ErrorKind::Protocol, "command that was not sent"),
        ("S: * BYE [UNAVAILABLE] maintenance", ErrorKind::Busy, "BYE [UNAVAILABLE] maintenance"),
        ("S: * BYE Session expired", ErrorKind::Connection, "BYE Session expired"),
        ("CLOSE", ErrorKind::Connection, "the server closed the connection"),
        ("s: * LIST () \"/\" {10}\nS:\nCLOSE", ErrorKind::Connection, "in the middle of a literal"),
        ("s: * LIST () \"/\" INB\nCLOSE", ErrorKind::Connection, "in the middle of a response"),
        ("S: * LIST () \"/\" {99999999999999999999}", ErrorKind::Protocol, "announced a literal"),
    ];
    for (answer, kind, words) in table {
        let script = format!("C: a1 LIST \"\" \"*\"\n{answer}");
        let (mut session, peer) = session("", &script).await;
        let (first, second) = finish(peer, async move {
            let first = session.list(&ListQuery::default()).await.unwrap_err();
            (first, session.noop().await.unwrap_err())
        })
        .await;
        assert!(first.kind == kind && first.scope >= Scope::Session, "{answer}: {first:?}");
        assert!(first.to_string().contains(words), "{answer}: {first}");
        assert_eq!(first, second, "a broken session stays broken");
    }
}

#[tokio::test]
async fn silence_ends() {
    let (mut session, peer) = session_with("", "C: a1 NOOP", |options| {
        options.timeouts.read = std::time::Duration::from_millis(50);
    })
    .await;
    let error = finish(peer, async move { session.noop().await.unwrap_err() }).await;
    assert_eq!((error.kind, error.scope), (ErrorKind::Timeout, Scope::Session));
}

#[tokio::test]
async fn long_sets_are_cut_and_sent_at_once() {
    let set: UidSet = (1..=3000).map(|number| uid(number * 2)).collect();
    let pieces = mailhaul_imap::split_uids(&set, 4000);
    assert!(pieces.len() > 2);
    let mut script = SELECTED.to_owned();
    for (index, piece) in pieces.iter().enumerate() {
        writeln!(script, "C: a{} UID FETCH {piece} (UID FLAGS)", index + 2).unwrap();
    }
    for (index, piece) in pieces.iter().enumerate() {
        let last = piece.last().unwrap();
        writeln!(script, "S: * 1 FETCH (UID {last} FLAGS ())\nS: a{} OK done", index + 2).unwrap();
    }
    let (mut session, peer) = session("", &script).await;
    let count = pieces.len();
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let mut found = UidSet::new();
        selected.uid_fetch(&set, "(UID FLAGS)", |fetch| found.extend(fetch.uid)).await.unwrap();
        assert_eq!(found.len(), count as u64);
        assert!(selected.uid_fetch(&set, "(UID)\r\na9 LOGOUT", |_| {}).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn both_sides_compress() {
    let script = "C: a1 COMPRESS DEFLATE
         S: a1 OK now
         DEFLATE
         C: a2 NOOP
         S: * 5 EXISTS
         S: a2 OK done
         C: a3 APPEND \"INBOX\" {400000+}
         EAT: 400000
         C:
         S: a3 OK [APPENDUID 9 12] done";
    let (mut session, peer) = session("COMPRESS=DEFLATE LITERAL+", script).await;
    let reply = finish(peer, async move {
        session.compress().await.unwrap();
        session.noop().await.unwrap();
        session.append(&inbox(), &Flags::new(), None, &vec![b'x'; 400_000]).await.unwrap()
    })
    .await;
    assert_eq!(reply.uids().unwrap().1, &uids("12"));
}

/// EXAMINE and UID FETCH of two mailboxes. The server reads all four before it answers.
const CHANGES: &str = "C: a1 ENABLE QRESYNC
    S: * ENABLED QRESYNC
    S: a1 OK done
    C: a2 EXAMINE \"INBOX\" (CONDSTORE)
    C: a3 UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 70 VANISHED)
    C: a4 EXAMINE \"Sent\" (CONDSTORE)
    C: a5 UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 71 VANISHED)\n";

/// The messages by mailbox, and the answer of each mailbox.
async fn changes(session: &mut Session) -> (Vec<(usize, Option<Uid>)>, Vec<Result<ChangedMailbox, Error>>) {
    session.enable(&["QRESYNC"]).await.unwrap();
    let mut told = Vec::new();
    let collect = |index, fetch: Box<Fetch>| told.push((index, fetch.uid));
    let changed = session.changes_of_many(&changes_queries(), "(UID FLAGS)", collect).await.unwrap();
    (told, changed)
}

fn changes_queries() -> [ChangesQuery; 2] {
    let query = |name: &str, since| ChangesQuery {
        name: MailboxName::from_wire(name),
        uids: uids("1:9"),
        since: ModSeq(since),
    };
    [query("INBOX", 70), query("Sent", 71)]
}

#[tokio::test]
async fn changes_of_several_mailboxes_take_one_round_trip() {
    let script = format!(
        "{CHANGES}
         S: * 3 EXISTS
         S: * OK [UIDVALIDITY 9] .
         S: * OK [HIGHESTMODSEQ 80] .
         S: * 1 FETCH (UID 1 FLAGS ())
         S: a2 OK [READ-ONLY] done
         S: * VANISHED (EARLIER) 4:6
         S: * 4 EXISTS
         S: * VANISHED 2
         S: * 2 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (75))
         S: a3 OK done
         S: * OK [CLOSED] .
         S: * 5 EXISTS
         S: * OK [UIDVALIDITY 11] .
         S: a4 OK [READ-ONLY] done
         S: * 5 FETCH (UID 8 FLAGS ())
         S: a5 OK done"
    );
    let (mut session, peer) = session("ENABLE QRESYNC CONDSTORE", &script).await;
    finish(peer, async move {
        let (told, changed) = changes(&mut session).await;
        assert_eq!(told, [(0, Some(uid(7))), (1, Some(uid(8)))]);
        let [first, second] = [0, 1].map(|index: usize| changed[index].clone().unwrap());
        assert_eq!((first.data.exists, first.exists, first.vanished), (3, 3, uids("2,4:6")));
        assert_eq!(
            (first.data.uid_validity, first.data.highest_modseq),
            (UidValidity::new(9), Some(ModSeq(80)))
        );
        assert_eq!((second.data.uid_validity, second.exists), (UidValidity::new(11), 5));
        let open = session.selected().unwrap();
        assert_eq!(
            (open.name().as_wire(), open.data().exists, open.data().read_only),
            (&b"Sent"[..], 5, true)
        );
    })
    .await;
}

#[tokio::test]
async fn a_refused_mailbox_does_not_hide_the_changes_of_the_next_one() {
    let script = format!(
        "{CHANGES}
         S: a2 NO [NONEXISTENT] no such mailbox
         S: * 1 FETCH (UID 3 FLAGS ())
         S: a3 BAD no mailbox is open
         S: * 5 EXISTS
         S: a4 OK [READ-ONLY] done
         S: * 5 FETCH (UID 8 FLAGS ())
         S: a5 OK done"
    );
    let (mut session, peer) = session("ENABLE QRESYNC CONDSTORE", &script).await;
    finish(peer, async move {
        let (told, changed) = changes(&mut session).await;
        assert_eq!(told, [(1, Some(uid(8)))], "FETCH without an open mailbox is ignored");
        let error = changed[0].clone().unwrap_err();
        assert_eq!((error.scope, error.kind), (Scope::Folder, ErrorKind::NotFound));
        assert_eq!(changed[1].as_ref().unwrap().exists, 5);
    })
    .await;
}

#[tokio::test]
async fn changes_answered_out_of_order_are_an_error() {
    let script = format!("{CHANGES}\nS: a2 OK done\nS: a4 OK done\nS: a3 OK done\nS: a5 OK done");
    let (mut session, peer) = session("ENABLE QRESYNC CONDSTORE", &script).await;
    finish(peer, async move {
        session.enable(&["QRESYNC"]).await.unwrap();
        let error = session.changes_of_many(&changes_queries(), "(UID FLAGS)", |_, _| {}).await.unwrap_err();
        assert_eq!((error.scope, error.kind), (Scope::Session, ErrorKind::Protocol));
        assert!(session.selected().is_none());
    })
    .await;
}

#[tokio::test]
async fn mailboxes_are_listed_in_the_round_trip_of_the_introduction() {
    let table = [
        ("S: * LIST () \"/\" INBOX\nS: a2 OK done", Some(1)),
        ("S: a2 NO not now", None),
        ("S: * LIST what is this\nS: a2 OK done", None),
    ];
    for (answer, listed) in table {
        let script = format!(
            "C: a1 NAMESPACE
             C: a2 LIST \"\" \"*\"
             S: * NAMESPACE ((\"\" \"/\")) NIL NIL
             S: a1 OK done
             {answer}"
        );
        let (mut session, peer) = session("NAMESPACE", &script).await;
        let query = ListQuery::default();
        let told =
            finish(peer, async move { session.introduce(&[], &[], Some(&query)).await }).await.unwrap();
        assert!(told.namespaces.is_some());
        assert_eq!(told.listed.map(|listed| listed.len()), listed, "{answer}");
    }
}

#[tokio::test]
async fn what_is_denied_is_not_used_whatever_the_server_says_later() {
    let script = "C: a1 ID (\"name\" \"x\")
         C: a2 ENABLE CONDSTORE
         C: a3 NAMESPACE
         S: * ID (\"name\" \"Odd\" \"vendor\" NIL)
         S: a1 OK done
         S: * ENABLED CONDSTORE
         S: a2 OK done
         S: * NAMESPACE ((\"\" \"/\")) NIL NIL
         S: a3 OK [CAPABILITY IMAP4rev1 QRESYNC CONDSTORE MOVE] done
         C: a4 EXAMINE \"INBOX\"
         S: a4 OK done";
    let (mut session, peer) = session("ID ENABLE NAMESPACE CONDSTORE QRESYNC MOVE", script).await;
    let (told, capabilities, enabled) = finish(peer, async move {
        session.deny(&["QRESYNC"]);
        let told = session.introduce(&[("name", "x")], &["CONDSTORE", "QRESYNC"], None).await.unwrap();
        session.deny(&["condstore"]);
        let options = SelectOptions { condstore: true, qresync: None };
        session.examine(&inbox(), &options).await.unwrap();
        (told, session.capabilities().clone(), session.has_enabled("CONDSTORE"))
    })
    .await;
    assert_eq!(told.id, [("name".to_owned(), Some("Odd".to_owned())), ("vendor".to_owned(), None)]);
    assert!(told.namespaces.is_some());
    assert_eq!(capabilities.iter().collect::<Vec<_>>(), ["IMAP4REV1", "MOVE"]);
    assert!(!enabled);
}

#[tokio::test]
async fn mailboxes_are_renamed_and_deleted() {
    let script = "C: a1 RENAME \"Old\" \"a b\"
         S: a1 OK done
         C: a2 RENAME \"none\" \"x\"
         S: a2 NO [NONEXISTENT] no such mailbox
         C: a3 DELETE \"a b\"
         S: a3 OK done
         C: a4 UNSUBSCRIBE \"a b\"
         S: a4 OK done";
    let (mut session, peer) = session("", script).await;
    let name = MailboxName::from_wire;
    finish(peer, async move {
        session.rename(&name("Old"), &name("a b")).await.unwrap();
        let error = session.rename(&name("none"), &name("x")).await.unwrap_err();
        assert_eq!(error.scope, Scope::Folder);
        session.delete(&name("a b")).await.unwrap();
        session.unsubscribe(&name("a b")).await.unwrap();
    })
    .await;
}
