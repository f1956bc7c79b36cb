//! Conversations that no real server has on demand. Each one fails without its handling.

#![allow(clippy::unwrap_used, reason = "tests")]

use mailhaul_engine::{
    Budget, Error, ErrorKind, FetchedPart, Mailbox as _, Missing, Source as _, WantedMessage, pipe,
};
use mailhaul_imap::{ConnectOptions, Security};
use mailhaul_mail::{FolderPath, Retry, Scope, Uid};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side};
use mailhaul_testkit::peer::{Peer, alice, peer};

/// A mailbox whose server continues with this script after the sign-in.
async fn source(capabilities: &str, script: &str) -> (ImapMailbox, Peer) {
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello
         C: a1 AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=
         S: a1 OK [CAPABILITY IMAP4rev1 {capabilities}] welcome
         C: a2 LIST \"\" \"\"
         S: * LIST (\\Noselect) \"/\" \"\"
         S: a2 OK done
         {script}"
    );
    let peer = peer(&script).await;
    let options = peer.options(Security::Clear);
    let account = Account {
        side: Side::Source,
        options,
        login: Login::Password(alice()),
        user_root: None,
        profile: None,
    };
    (ImapMailbox::new(account), peer)
}

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

/// The messages that a source does not deliver, and those that it delivers, within a budget of bytes.
async fn delivered(
    source: &mut ImapMailbox,
    wanted: &[WantedMessage],
    budget: u32,
) -> (Result<Vec<(Uid, Missing)>, Error>, Vec<String>) {
    let (outlet, mut inlet) = pipe(&Budget::new(budget));
    let inbox = FolderPath::inbox();
    let reading = async {
        let mut told = Vec::new();
        let mut octets = 0;
        while let Some(piece) = inlet.next().await {
            match piece {
                FetchedPart::Message(uid, body) => {
                    told.push(format!("{uid}: {}", String::from_utf8_lossy(&body)));
                }
                FetchedPart::Start(uid, length) => told.push(format!("{uid}: {length} follow")),
                FetchedPart::Chunk(chunk) => octets += chunk.len(),
                FetchedPart::End => told.push(format!("{octets} came")),
            }
        }
        told
    };
    tokio::join!(source.fetch(&inbox, wanted, outlet), reading)
}

/// The order in which four messages of these told sizes arrived, within a budget of bytes.
async fn arrived(sizes: [u64; 4], budget: u32, talk: &str) -> Vec<String> {
    let opening = "C: a3 EXAMINE \"INBOX\"
         S: * 4 EXISTS
         S: * OK [UIDVALIDITY 1] valid
         S: a3 OK open";
    let (mut source, peer) = source("", &format!("{opening}\n{talk}")).await;
    let wanted: Vec<WantedMessage> =
        sizes.into_iter().zip(1..).map(|(size, it)| WantedMessage { uid: uid(it), size }).collect();
    let (missing, told) = delivered(&mut source, &wanted, budget).await;
    drop(source);
    peer.done().await;
    assert_eq!(missing.unwrap(), []);
    told
}

#[tokio::test]
async fn what_is_answered_out_of_turn_arrives_in_turn() {
    const ANSWERS: [&str; 4] = [
        "S: * 3 FETCH (UID 3 BODY[] {1}%3)
         S: * 4 FETCH (UID 4 BODY[] {1}%4)
         S: a6 OK done",
        "S: * 2 FETCH (UID 2 BODY[] {1048576}
         X: 1048576
         S: )
         S: a5 OK done",
        "S: * 1 FETCH (UID 1 BODY[] {1048576}
         X: 1048576
         S: )
         S: a4 OK done",
        "C: a4 UID FETCH 1 (UID BODY.PEEK[])",
    ];
    let [last, second, first, ask] = ANSWERS;
    let order = ["1: 1048576 follow", "1048576 came", "2: 1048576 follow", "2097152 came", "3: 3", "4: 4"];
    let sizes = [1 << 20, 1 << 20, 1, 1];
    let (ask_second, ask_last) =
        ("C: a5 UID FETCH 2 (UID BODY.PEEK[])", "C: a6 UID FETCH 3:4 (UID BODY.PEEK[])");
    // All are requested at once. A message before its turn waits.
    let talk = [ask, ask_second, ask_last, last, second, first].join("\n");
    assert_eq!(arrived(sizes, 4 << 20, &talk).await, order);
    // The second one may not wait: it is requested in its turn.
    let talk = [ask, first, ask_second, ask_last, last, second].join("\n");
    assert_eq!(arrived(sizes, 1 << 20, &talk).await, order);
}

#[tokio::test]
async fn what_was_told_no_size_may_come_before_its_turn() {
    let talk = "C: a4 UID FETCH 1 (UID BODY.PEEK[])
         C: a5 UID FETCH 2:4 (UID BODY.PEEK[])
         S: * 2 FETCH (UID 2 BODY[] {300000}
         X: 300000
         S: )
         S: * 3 FETCH (UID 3 BODY[] {1}%3)
         S: * 4 FETCH (UID 4 BODY[] {1}%4)
         S: a5 OK done
         S: * 1 FETCH (UID 1 BODY[] {1048577}
         X: 1048577
         S: )
         S: a4 OK done";
    let (first, second, all) = ("1: 1048577 follow", "2: 300000 follow", "1348577 came");
    let sizes = [(1 << 20) + 1, 0, 1, 1];
    let in_turn = [first, "1048577 came", second, all, "3: 3", "4: 4"];
    assert_eq!(arrived(sizes, 1 << 20, talk).await, in_turn);
    let out_of_turn = [second, "300000 came", first, all, "3: 3", "4: 4"];
    assert_eq!(arrived(sizes, 500_000, talk).await, out_of_turn);
}

#[tokio::test]
async fn odd_and_missing_bodies_are_requested_alone_and_explained() {
    let script = "C: a3 EXAMINE \"INBOX\"
         S: * 5 EXISTS
         S: * OK [UIDVALIDITY 1] valid
         S: a3 OK open
         C: a4 UID FETCH 1:5 (UID BODY.PEEK[])
         S: * 1 FETCH (BODY[] {5}
         s: hello
         S:  UID 1)
         S: * 2 FETCH (BODY[] {300000}
         X: 300000
         S:  UID 2)
         S: * 3 FETCH (UID 3 BODY[] NIL)
         S: * 4 FETCH (UID 4 BODY[] \"\")
         S: a4 OK done
         C: a5 UID FETCH 2 (UID BODY.PEEK[])
         S: * 2 FETCH (BODY[] {300000}
         X: 300000
         S:  UID 2)
         S: a5 OK done
         C: a6 UID FETCH 3 (UID BODY.PEEK[])
         S: a6 OK done
         C: a7 UID FETCH 4 (UID BODY.PEEK[])
         S: * 4 FETCH (UID 4 BODY[] \"\")
         S: a7 OK done
         C: a8 UID FETCH 5 (UID BODY.PEEK[])
         S: a8 NO [SERVERBUG] it is broken
         C: a9 UID FETCH 3:5 (UID)
         S: * 3 FETCH (UID 4)
         S: * 4 FETCH (UID 5)
         S: a9 OK done";
    let (mut source, peer) = source("", script).await;
    let wanted: Vec<WantedMessage> = [5, 300_000, 10, 10, 10]
        .into_iter()
        .zip(1..)
        .map(|(size, it)| WantedMessage { uid: uid(it), size })
        .collect();
    let (missing, told) = delivered(&mut source, &wanted, 1 << 20).await;
    drop(source);
    peer.done().await;
    assert_eq!(told, ["1: hello", "2: 300000 follow", "300000 came"]);
    let withheld = |words: &str| Missing::Withheld(words.to_owned());
    assert_eq!(
        missing.unwrap(),
        [
            (uid(3), Missing::Gone),
            (uid(4), withheld("the server sends an empty body")),
            (uid(5), withheld("UID FETCH refused: NO [SERVERBUG] it is broken")),
        ]
    );
}

#[tokio::test]
async fn an_expunge_during_a_scan_is_no_error() {
    let script = "C: a3 EXAMINE \"INBOX\"
         S: * 3 EXISTS
         S: * OK [UIDVALIDITY 1] valid
         S: a3 OK open
         C: a4 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)
         S: * 1 FETCH (UID 1 FLAGS (\\Seen))
         S: * 1 FETCH (UID 1 INTERNALDATE \" 1-Jan-2020 00:00:00 +0100\" RFC822.SIZE 5)
         S: * 2 EXPUNGE
         S: * 2 FETCH (UID 3 FLAGS (work) INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" RFC822.SIZE 7)
         S: * 2 FETCH (FLAGS (\\Deleted))
         S: a4 OK done
         C: a5 UID FETCH 3 (UID BODY.PEEK[HEADER.FIELDS (DATE RECEIVED)])
         S: a5 NO it is gone";
    let (mut source, peer) = source("", script).await;
    let scan = source.scan(&FolderPath::inbox(), None).await.unwrap();
    drop(source);
    peer.done().await;
    let told: Vec<String> = scan
        .messages
        .iter()
        .map(|it| format!("{} {} {} {}", it.uid, it.flags, it.size, it.internal_date.is_some()))
        .collect();
    assert_eq!(told, ["1 \\Seen 5 true", "3 work 7 false"]);
}

#[tokio::test]
async fn folders_without_an_inbox_in_the_list_and_of_other_namespaces() {
    let script = "C: a3 LIST \"\" \"*\"
         S: * LIST (\\HasNoChildren) \"/\" Sent
         S: * LIST (\\Noselect) \"/\" Archive
         S: a3 OK done
         C: a4 LSUB \"\" \"*\"
         S: * LSUB () \"/\" Sent
         S: a4 OK done
         C: a5 STATUS \"Sent\" (MESSAGES UIDNEXT UIDVALIDITY)
         C: a6 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY)
         S: * STATUS Sent (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 7)
         S: a5 OK done
         S: * STATUS inbox (MESSAGES 1 UIDVALIDITY 8)
         S: a6 OK done";
    let (mut source, peer) = source("", script).await;
    let mut folders = source.folders().await.unwrap();
    drop(source);
    peer.done().await;
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    let told: Vec<String> = folders
        .iter()
        .map(|it| {
            let messages = it.status.map_or(0, |it| it.messages);
            format!("{} {} {} {messages}", it.path, it.selectable, it.subscribed)
        })
        .collect();
    assert_eq!(told, ["INBOX true false 1", "Archive false false 0", "Sent true true 2"]);
}

#[tokio::test]
async fn xlist_tells_special_uses_if_list_does_not() {
    let script = "C: a3 LIST \"\" \"*\"
         S: * LIST (\\HasNoChildren) \"/\" INBOX
         S: * LIST (\\HasNoChildren) \"/\" \"[Gmail]/Alle Nachrichten\"
         S: * LIST (\\HasNoChildren) \"/\" \"[Gmail]/Spam\"
         S: a3 OK done
         C: a4 XLIST \"\" \"*\"
         S: * XLIST (\\HasNoChildren \\Inbox) \"/\" Posteingang
         S: * XLIST (\\HasNoChildren \\AllMail) \"/\" \"[Gmail]/Alle Nachrichten\"
         S: * XLIST (\\HasNoChildren \\Spam) \"/\" \"[Gmail]/Spam\"
         S: a4 OK done
         C: a5 LSUB \"\" \"*\"
         S: a5 OK done
         C: a6 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY)
         C: a7 STATUS \"[Gmail]/Alle Nachrichten\" (MESSAGES UIDNEXT UIDVALIDITY)
         C: a8 STATUS \"[Gmail]/Spam\" (MESSAGES UIDNEXT UIDVALIDITY)
         S: a6 NO no
         S: a7 NO no
         S: a8 NO no";
    let (mut source, peer) = source("XLIST", script).await;
    let mut folders = source.folders().await.unwrap();
    drop(source);
    peer.done().await;
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    let told: Vec<String> = folders.iter().map(|it| format!("{} {:?}", it.path, it.special_use)).collect();
    assert_eq!(told, ["INBOX None", "[Gmail]/Alle Nachrichten Some(All)", "[Gmail]/Spam Some(Junk)"]);
}

/// The silence concerns the endpoint: every user would have it.
#[tokio::test]
async fn silence_at_the_greeting_concerns_every_user() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for security in [Security::Clear, Security::Implicit] {
        let mut options = ConnectOptions::new("127.0.0.1", port, security);
        options.timeouts.greeting = std::time::Duration::from_millis(60);
        let login = Login::Password(alice());
        let account = Account { side: Side::Source, options, login, user_root: None, profile: None };
        let error = ImapMailbox::new(account).folders().await.unwrap_err();
        let expected = (Scope::Endpoint, Retry::Never, ErrorKind::Connection);
        assert_eq!((error.scope, error.retry, error.kind), expected, "{error}");
    }
}
