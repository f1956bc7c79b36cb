//! The two streams of mail: out of a server by FETCH, into one by APPEND.

use std::sync::Arc;

use mailhaul_imap::{
    AppendHead, AppendReplies, AppendReply, BeginOutcome, Error, ErrorKind, FetchEvent, MailboxName,
    SelectOptions, Session, response::Content,
};
use mailhaul_mail::{Flags, InternalDate, Scope, Uid, UidSet};
use mailhaul_testkit::peer::{finish, session, session_with};

const SELECTED: &str = "C: a1 EXAMINE \"INBOX\"
    S: * 3 EXISTS
    S: a1 OK [READ-ONLY] done\n";

fn inbox() -> MailboxName {
    MailboxName::from_wire("INBOX")
}

fn uids(text: &str) -> UidSet {
    text.parse().unwrap()
}

#[tokio::test]
async fn bodies_come_whole_or_in_chunks_and_commands_overlap() {
    let script = format!(
        "{SELECTED}C: a2 UID FETCH 1:2 (UID BODY.PEEK[])
         C: a3 UID FETCH 3 (UID BODY.PEEK[])
         S: * 1 FETCH (UID 1 BODY[] {{5}}
         s: hello
         S:  FLAGS (\\Seen))
         S: * 2 FETCH (UID 2 BODY[] {{300000}}
         X: 300000
         S: )
         S: * OK still there
         S: a2 OK done
         S: * 3 FETCH (UID 3 BODY[] NIL)
         S: a3 NO gone"
    );
    let (mut session, peer) = session("", &script).await;
    let lines = Arc::clone(&peer.lines);
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let mut stream = selected.fetch_stream().await.unwrap();
        let first = stream.send(&uids("1:2"), "(UID BODY.PEEK[])").unwrap();
        let second = stream.send(&uids("3"), "(UID BODY.PEEK[])").unwrap();
        assert_eq!(stream.in_flight(), 2);

        let Some(FetchEvent::Message(one)) = stream.next().await.unwrap() else {
            panic!("the first message")
        };
        assert_eq!(one.inline("").unwrap(), "hello");
        assert!(one.flags.unwrap().contains("\\Seen"));

        let expected =
            FetchEvent::BodyStart { uid: Uid::new(2), section: String::new(), origin: None, length: 300_000 };
        assert_eq!(stream.next().await.unwrap(), Some(expected));
        let mut octets = 0;
        loop {
            match stream.next().await.unwrap().unwrap() {
                FetchEvent::BodyChunk(chunk) => octets += chunk.len(),
                FetchEvent::BodyEnd => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(octets, 300_000);
        let Some(FetchEvent::Message(two)) = stream.next().await.unwrap() else {
            panic!("the second message")
        };
        assert_eq!(two.sections[0].content, Content::Streamed(300_000));

        assert!(matches!(stream.next().await.unwrap(), Some(FetchEvent::Other(_))));
        let done = stream.next().await.unwrap().unwrap();
        assert!(matches!(done, FetchEvent::Completed { command, .. } if command == first), "{done:?}");
        let Some(FetchEvent::Message(three)) = stream.next().await.unwrap() else {
            panic!("the third message")
        };
        assert_eq!(three.sections[0].content, Content::Nil);
        let done = stream.next().await.unwrap().unwrap();
        assert!(matches!(done, FetchEvent::Completed { command, .. } if command == second), "{done:?}");
        assert_eq!(stream.next().await.unwrap(), None);
        assert!(stream.send(&uids("1"), "(UID)\r\n").is_err());
    })
    .await;
    let lines = lines.all();
    assert!(lines.contains(&"S: * 1 FETCH (UID 1 BODY[] {5} ... FLAGS (\\Seen))".to_owned()), "{lines:?}");
    assert!(lines.contains(&"S: * 2 FETCH (UID 2 BODY[] {300000} ...)".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_stream_dropped_within_a_literal_leaves_the_session_usable() {
    let script = format!(
        "{SELECTED}C: a2 UID FETCH 1 (UID BODY.PEEK[])
         S: * 1 FETCH (UID 1 BODY[] {{1000000}}
         X: 1000000
         S: )
         S: a2 OK done
         C: a3 NOOP
         S: a3 OK done"
    );
    let (mut session, peer) = session("", &script).await;
    finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let mut stream = selected.fetch_stream().await.unwrap();
        stream.send(&uids("1"), "(UID BODY.PEEK[])").unwrap();
        assert!(matches!(stream.next().await.unwrap(), Some(FetchEvent::BodyStart { .. })));
        drop(stream);
        session.noop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_cut_within_a_literal_is_told() {
    let script = format!(
        "{SELECTED}C: a2 UID FETCH 1 (UID BODY.PEEK[])
         S: * 1 FETCH (UID 1 BODY[] {{1000000}}
         X: 70000
         CLOSE"
    );
    let (mut session, peer) = session("", &script).await;
    let error = finish(peer, async move {
        let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
        let mut stream = selected.fetch_stream().await.unwrap();
        stream.send(&uids("1"), "(UID BODY.PEEK[])").unwrap();
        loop {
            if let Err(error) = stream.next().await {
                return error;
            }
        }
    })
    .await;
    assert_eq!((error.kind, error.scope), (ErrorKind::Connection, Scope::Session));
    assert!(error.to_string().contains("in the middle of a literal: 70000 of 1000000 bytes"), "{error}");
}

async fn all(mut replies: AppendReplies<'_>) -> Result<Vec<AppendReply>, Error> {
    let mut found = Vec::new();
    while let Some(reply) = replies.next().await? {
        found.push(reply);
    }
    Ok(found)
}

/// Appends messages, several in a command if possible. Returns the result of `begin` for each.
async fn append(session: &mut Session, messages: &[&str]) -> Result<(Vec<bool>, Vec<AppendReply>), Error> {
    let (mut sink, replies) = session.append_pipeline(&inbox()).await?;
    let flags: Flags = ["\\Seen", "b a d"].into_iter().collect();
    let date = InternalDate::parse("17-Jul-1996 02:44:25 -0700");
    let sending = async move {
        let mut ready = Vec::new();
        for message in messages {
            let head = AppendHead { flags: &flags, date, length: message.len() as u64 };
            ready.push(sink.begin(&head).await? == BeginOutcome::Ready);
            if ready.last() == Some(&true) {
                sink.write(message.as_bytes()).await?;
                sink.end_message()?;
                if !sink.is_multi() {
                    sink.end_command();
                }
            }
        }
        sink.end_command();
        sink.flush().await?;
        Ok(ready)
    };
    let (sent, replies): (Result<_, Error>, _) = tokio::join!(sending, all(replies));
    Ok((sent?, replies?))
}

const HEAD: &str = "(\\Seen) \"17-Jul-1996 02:44:25 -0700\"";

#[tokio::test]
async fn literals_that_go_without_asking() {
    let script = format!(
        "C: a1 APPEND \"INBOX\" {HEAD} {{3+}}
         C: one
         C: a2 APPEND \"INBOX\" {HEAD} {{3+}}
         C: two
         S: a1 OK [APPENDUID 9 4] done
         S: a2 NO [OVERQUOTA] full"
    );
    let (mut session, peer) = session("LITERAL+", &script).await;
    let lines = Arc::clone(&peer.lines);
    let (ready, replies) =
        finish(peer, async move { append(&mut session, &["one", "two"]).await }).await.unwrap();
    assert_eq!(ready, [true, true]);
    assert_eq!(replies[0].uids().unwrap().1, &uids("4"));
    assert_eq!(replies[1].outcome().unwrap_err().kind, ErrorKind::Quota);
    assert_eq!(lines.all()[1], format!("C: a1 APPEND \"INBOX\" {HEAD} {{3}} ..."));
}

#[tokio::test]
async fn several_messages_in_one_command() {
    let script = format!(
        "C: a1 APPEND \"INBOX\" {HEAD} {{3+}}
         C: one {HEAD} {{5+}}
         C: three
         S: a1 OK [APPENDUID 9 4:5] done"
    );
    let (mut session, peer) = session("LITERAL+ MULTIAPPEND", &script).await;
    let (_, replies) =
        finish(peer, async move { append(&mut session, &["one", "three"]).await }).await.unwrap();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].uids().unwrap().1.len(), 2);
}

#[tokio::test]
async fn a_refused_literal_ends_the_command_not_the_session() {
    let script = format!(
        "C: a1 APPEND \"INBOX\" {HEAD} {{3}}
         S: + go on
         C: one
         C: a2 APPEND \"INBOX\" {HEAD} {{3}}
         S: a1 OK done
         S: a2 NO [TOOBIG] too big
         C: a3 APPEND \"INBOX\" {HEAD} {{5}}
         S: + go on
         C: three
         S: a3 OK done
         C: a4 NOOP
         S: a4 OK done"
    );
    let (mut session, peer) = session("", &script).await;
    let (ready, replies) = finish(peer, async move {
        let outcome = append(&mut session, &["one", "two", "three"]).await;
        session.noop().await.unwrap();
        outcome
    })
    .await
    .unwrap();
    assert_eq!(ready, [true, false, true]);
    let outcomes: Vec<bool> = replies.iter().map(|reply| reply.outcome().is_ok()).collect();
    assert_eq!(outcomes, [true, false, true]);
    let error = replies[1].outcome().unwrap_err();
    assert_eq!((error.kind, error.scope), (ErrorKind::TooLarge, Scope::Message));
}

#[tokio::test]
async fn small_literals_go_without_asking_and_large_ones_ask() {
    let (small, large) = ("s".repeat(4096), "l".repeat(4097));
    let script = format!(
        "C: a1 APPEND \"INBOX\" {HEAD} {{4096+}}
         C: {small}
         C: a2 APPEND \"INBOX\" {HEAD} {{4097}}
         S: a1 OK done
         S: + go on
         C: {large}
         S: a2 OK done"
    );
    let (mut session, peer) = session("LITERAL-", &script).await;
    let (_, replies) =
        finish(peer, async move { append(&mut session, &[&small, &large]).await }).await.unwrap();
    assert_eq!(replies.len(), 2);
}

#[tokio::test]
async fn large_messages_arrive_octet_by_octet() {
    // Not all alike, so that a piece in the wrong place is found.
    let message: String =
        (10_000..70_000).flat_map(|number: u32| number.to_string().into_bytes()).map(char::from).collect();
    let script = format!(
        "C: a1 APPEND \"INBOX\" {HEAD} {{300000+}}
         C: {message} {HEAD} {{3+}}
         C: end
         S: a1 OK done"
    );
    let (mut session, peer) = session("LITERAL+ MULTIAPPEND", &script).await;
    finish(peer, async move { append(&mut session, &[&message, "end"]).await }).await.unwrap();
}

#[tokio::test]
async fn a_goodbye_within_a_message_reaches_both_halves() {
    let script = format!(
        "C: a1 APPEND \"INBOX\" {HEAD} {{3}}
         S: * BYE Invalid character in literal"
    );
    let (mut session, peer) = session("", &script).await;
    let (error, after) = finish(peer, async move {
        let error = append(&mut session, &["one"]).await.unwrap_err();
        (error, session.noop().await.unwrap_err())
    })
    .await;
    assert_eq!(error.scope, Scope::Session);
    assert!(error.to_string().contains("Invalid character in literal"), "{error}");
    assert_eq!(error, after);
}

#[tokio::test]
async fn a_message_given_up_half_way_spoils_the_session() {
    let (mut session, peer) = session("LITERAL+", "").await;
    finish(peer, async move {
        let (mut sink, mut replies) = session.append_pipeline(&inbox()).await.unwrap();
        let head = AppendHead { flags: &Flags::new(), date: None, length: 5 };
        sink.begin(&head).await.unwrap();
        sink.write(b"abc").await.unwrap();
        assert!(sink.write(b"def").await.is_err(), "more than announced");
        assert!(sink.end_message().is_err(), "less than announced");
        assert!(sink.end_command().is_none());
        drop(sink);
        let error = replies.next().await.unwrap_err();
        assert!(error.to_string().contains("cancelled"), "{error}");
        drop(replies);
        assert_eq!(session.noop().await.unwrap_err().scope, Scope::Session);
    })
    .await;
}

#[tokio::test]
async fn nobody_waits_for_replies_that_nobody_reads() {
    let (mut session, peer) = session("", "").await;
    finish(peer, async move {
        let (mut sink, replies) = session.append_pipeline(&inbox()).await.unwrap();
        let flags = Flags::new();
        let head = AppendHead { flags: &flags, date: None, length: 5 };
        // The sink waits for a continuation while the replies are dropped.
        let (begun, ()) = tokio::join!(sink.begin(&head), async move { drop(replies) });
        assert!(begun.is_err());
    })
    .await;
}

#[tokio::test]
async fn only_a_server_that_owes_an_answer_can_time_out() {
    let script = "C: a1 APPEND \"INBOX\" {3+}
         C: one";
    let (mut session, peer) = session_with("LITERAL+", script, |options| {
        options.timeouts.read = std::time::Duration::from_millis(50);
    })
    .await;
    let error = finish(peer, async move {
        let (mut sink, mut replies) = session.append_pipeline(&inbox()).await.unwrap();
        let head = AppendHead { flags: &Flags::new(), date: None, length: 3 };
        sink.begin(&head).await.unwrap();
        sink.flush().await.unwrap();
        // Three times its patience: the message is not complete, so nothing is owed.
        let patience = std::time::Duration::from_millis(150);
        assert!(tokio::time::timeout(patience, replies.next()).await.is_err());
        sink.write(b"one").await.unwrap();
        sink.end_message().unwrap();
        sink.end_command();
        sink.flush().await.unwrap();
        let error = replies.next().await.unwrap_err();
        drop(sink);
        error
    })
    .await;
    assert_eq!(error.kind, ErrorKind::Timeout);
}
