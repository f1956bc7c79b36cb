//! The servers themselves, tested with this project's client.

use std::{collections::BTreeMap, time::Duration};

use mailhaul_imap::{
    ConnectOptions, Connection, Credentials, Error, ErrorKind, MailboxName, Security, SelectOptions, Session,
    StoreMode,
};
use mailhaul_mail::{Flags, Secret, Uid, UidSet};

use super::{Fake, Limits, Personality, VirtualClock};

const MESSAGE: &[u8] = b"Subject: one\r\n\r\nhello\r\n";

async fn server(personality: Personality, change: impl FnOnce(&mut Limits)) -> (Fake, VirtualClock) {
    let mut personality = personality;
    change(&mut personality.limits);
    let (server, clock) = (Fake::start(personality).await, VirtualClock::default());
    server.add_user("terrya", "pw", clock.clone());
    (server, clock)
}

async fn log_in(server: &Fake, credentials: &Credentials) -> Result<Session, Error> {
    let options = ConnectOptions::new("127.0.0.1", server.port, Security::Clear);
    Connection::open(&options).await?.authenticate(credentials).await
}

async fn session(server: &Fake) -> Session {
    log_in(server, &Credentials::password("terrya", Secret::new("pw"))).await.unwrap()
}

fn inbox() -> MailboxName {
    MailboxName::from_text("INBOX")
}

fn flags(text: &str) -> Flags {
    text.split_whitespace().collect()
}

fn all() -> UidSet {
    UidSet::range(Uid::FIRST, Uid::new(u32::MAX).unwrap())
}

async fn append(session: &mut Session, folder: &str, octets: &[u8]) -> Result<String, Error> {
    let reply = session.append(&MailboxName::from_text(folder), &Flags::new(), None, octets).await?;
    Ok(reply.uids().map(|(_, uids)| uids.to_string()).unwrap_or_default())
}

/// Returns flags and labels of the messages in the folder, by UID.
async fn shown(session: &mut Session, folder: &str, items: &str) -> BTreeMap<u32, String> {
    let name = MailboxName::from_text(folder);
    let mut selected = session.examine(&name, &SelectOptions::default()).await.unwrap();
    let mut shown = BTreeMap::new();
    let all = all();
    let fetched = selected.uid_fetch(&all, items, |fetch| {
        let labels = fetch.gm_labels.clone().unwrap_or_default().join(" ");
        let flags = fetch.flags.as_ref().map(Flags::to_string).unwrap_or_default();
        shown.insert(fetch.uid.unwrap().get(), format!("{flags}{labels}"));
    });
    fetched.await.unwrap();
    shown
}

#[tokio::test]
async fn who_comes_back_before_it_was_told_to_is_noted() {
    let (server, clock) = server(Personality::microsoft_365(), |it| {
        it.throttle.as_mut().unwrap().messages = 2;
    })
    .await;
    let mut first = session(&server).await;
    for number in 0..2 {
        append(&mut first, "INBOX", format!("Subject: {number}\r\n\r\n").as_bytes()).await.unwrap();
    }
    let error = append(&mut first, "INBOX", MESSAGE).await.unwrap_err();
    assert!(error.message.contains("Suggested Backoff Time: 299961 milliseconds"), "{error}");
    assert_eq!(
        first.noop().await.unwrap_err().message,
        "the server closed the connection: BYE Connection closed. 14"
    );
    assert!(server.violations().is_empty());
    let credentials = Credentials::password("terrya", Secret::new("pw"));
    assert_eq!(log_in(&server, &credentials).await.err().unwrap().kind, ErrorKind::Throttled);
    assert_eq!(server.violations(), ["terrya: came back 299.961s before it was allowed to"]);
    clock.pass(Duration::from_millis(299_961));
    session(&server).await;
    assert_eq!((server.violations().len(), server.count("terrya", "throttled")), (1, 1));
}

#[tokio::test]
async fn microsoft_ends_a_session_with_its_tenth_error() {
    let (server, _) = server(Personality::microsoft_365(), |_| {}).await;
    let mut session = session(&server).await;
    for refused in ["Files", "files/x"] {
        let error = session.create(&MailboxName::from_text(refused)).await.unwrap_err();
        assert!(error.message.contains("NO Folder name is reserved."), "{error}");
    }
    let error = session.create(&MailboxName::from_text("DRAFTS")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    let long = [b"Subject: x\r\n\r\n", [b'x'; 10_240].as_slice(), b"\r\n"].concat();
    for _ in 3..9 {
        let error = append(&mut session, "INBOX", &long).await.unwrap_err();
        assert!(error.message.contains("BAD Command Argument Error. 11"), "{error}");
    }
    assert!(server.violations().is_empty());
    let error = append(&mut session, "INBOX", &long).await.unwrap_err();
    assert!(error.message.contains("BAD Command Argument Error. 11"), "{error}");
    let error = session.noop().await.unwrap_err();
    assert!(error.message.contains("BYE Connection closed"), "{error}");
    assert_eq!(server.violations(), ["terrya: made 10 errors in a session"]);
}

#[tokio::test]
async fn microsoft_keeps_flagged_by_store_alone_and_no_keyword() {
    let (server, _) = server(Personality::microsoft_365(), |_| {}).await;
    let mut session = session(&server).await;
    session.append(&inbox(), &flags("\\Flagged \\Seen work"), None, MESSAGE).await.unwrap();
    assert_eq!(shown(&mut session, "INBOX", "(FLAGS)").await[&1], "\\Seen");
    let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
    selected.uid_store(&all(), StoreMode::Add, &flags("\\Flagged work")).await.unwrap();
    assert_eq!(shown(&mut session, "INBOX", "(FLAGS)").await[&1], "\\Flagged \\Seen");
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_another_token_begins_one() {
    let (server, clock) = server(Personality::microsoft_365(), |_| {}).await;
    let token = |server: &Fake| Credentials::bearer("terrya", Secret::new(server.issue_token("terrya")));
    let first = token(&server);
    let mut session = log_in(&server, &first).await.unwrap();
    clock.pass(Duration::from_mins(59));
    session.noop().await.unwrap();
    clock.pass(Duration::from_mins(1));
    let error = session.noop().await.unwrap_err();
    assert!(error.message.contains("BYE Session invalidated - AccessTokenExpired"), "{error}");
    assert_eq!(log_in(&server, &first).await.err().unwrap().kind, ErrorKind::Authentication);
    log_in(&server, &token(&server)).await.unwrap();
    assert!(server.violations().is_empty());
    // The client was warned before it uses the first one again, and before it requests a third.
    log_in(&server, &first).await.err().unwrap();
    token(&server);
    let told = [
        "terrya: shows a token again that was refused because it had ended",
        "terrya: requests a token while the last one is valid",
    ];
    assert_eq!(server.violations(), told);
}

#[tokio::test]
async fn an_applications_token_opens_every_mailbox_in_its_own_time() {
    let (server, clock) = server(Personality::microsoft_365(), |_| {}).await;
    server.add_user("annb", "pw", VirtualClock::default());
    let token = server.issue_application_token();
    let with = |user: &str| Credentials::bearer(user, Secret::new(token.clone()));
    log_in(&server, &with("terrya")).await.unwrap();
    clock.pass(Duration::from_hours(1));
    log_in(&server, &with("annb")).await.unwrap();
    log_in(&server, &with("terrya")).await.err().unwrap();
    assert!(server.violations().is_empty());
    server.issue_application_token();
    server.issue_application_token();
    assert_eq!(server.violations(), ["all users: requests a token while the last one is valid"]);
}

#[tokio::test]
async fn a_connection_breaks_after_its_last_command_took_effect() {
    let (server, _) = server(Personality::plain(), |it| it.commands_per_connection = Some(3)).await;
    let mut first = session(&server).await;
    append(&mut first, "INBOX", MESSAGE).await.unwrap();
    append(&mut first, "INBOX", MESSAGE).await.unwrap_err();
    assert_eq!(server.with("terrya", |it| it.total()), 2);
    assert_eq!(server.count("terrya", "broken"), 1);
    session(&server).await;
}

#[tokio::test]
async fn gmail_stores_the_same_bytes_once_and_still_returns_a_uid() {
    let (server, _) = server(Personality::gmail(), |_| {}).await;
    let mut session = session(&server).await;
    session.create(&MailboxName::from_text("a/b")).await.unwrap();
    let uids = [
        append(&mut session, "INBOX", MESSAGE).await.unwrap(),
        append(&mut session, "INBOX", MESSAGE).await.unwrap(),
        append(&mut session, "a/b", MESSAGE).await.unwrap(),
    ];
    assert_eq!(uids, ["1", "2", "1"]);
    assert_eq!(server.with("terrya", |it| it.total()), 1);
    // The label of the selected folder is not listed.
    let labels = "(X-GM-MSGID X-GM-LABELS)";
    assert_eq!(shown(&mut session, "INBOX", labels).await, BTreeMap::from([(1, "a/b".to_owned())]));
    assert_eq!(shown(&mut session, "a/b", labels).await[&1], "\\Inbox");
    let mut everywhere: Vec<String> =
        shown(&mut session, "[Gmail]/All Mail", labels).await[&1].split(' ').map(str::to_owned).collect();
    everywhere.sort();
    assert_eq!(everywhere, ["\\Inbox", "a/b"]);
    // A message in the trash is in no other folder.
    let mut selected = session.select(&inbox(), &SelectOptions::default()).await.unwrap();
    selected.uid_move(&all(), &MailboxName::from_text("[Gmail]/Trash")).await.unwrap();
    for (folder, count) in [("INBOX", 0), ("a/b", 0), ("[Gmail]/All Mail", 0), ("[Gmail]/Trash", 1)] {
        assert_eq!(shown(&mut session, folder, labels).await.len(), count, "{folder}");
    }
}

#[tokio::test]
async fn gmail_refuses_names_a_sixteenth_connection_and_a_nul() {
    let (server, _) = server(Personality::gmail(), |_| {}).await;
    let mut sessions = Vec::new();
    for _ in 0..15 {
        sessions.push(session(&server).await);
    }
    let credentials = Credentials::password("terrya", Secret::new("pw"));
    let error = log_in(&server, &credentials).await.err().unwrap();
    assert!(error.message.contains("Too many simultaneous connections"), "{error}");
    assert!(server.violations().is_empty());
    log_in(&server, &credentials).await.err().unwrap();
    assert_eq!(server.violations(), ["terrya: wants more than 15 connections, shortly after a refusal"]);
    let mut first = sessions.remove(0);
    for name in [" a", "a /b", "a  b", "a^b", "a\\b", "Spam", "[Gmail]/x"] {
        assert!(first.create(&MailboxName::from_text(name)).await.is_err(), "{name}");
    }
    let error = append(&mut first, "INBOX", b"Subject: \0\r\n\r\n").await.unwrap_err();
    assert!(error.message.contains("BYE Invalid character in literal"), "{error}");
    session(&server).await;
    assert_eq!(server.violations().len(), 1, "{:?}", server.violations());
}

#[tokio::test]
async fn a_spent_day_closes_the_account_until_its_end() {
    let (server, clock) = server(Personality::gmail(), |it| it.upload_per_day = Some(50)).await;
    let mut first = session(&server).await;
    append(&mut first, "INBOX", MESSAGE).await.unwrap();
    append(&mut first, "INBOX", b"Subject: two\r\n\r\nhello\r\n").await.unwrap();
    let error = append(&mut first, "INBOX", b"Subject: three\r\n\r\nhello\r\n").await.unwrap_err();
    assert!(error.message.contains("bandwidth limits"), "{error}");
    clock.pass(Duration::from_hours(24));
    let mut second = session(&server).await;
    append(&mut second, "INBOX", b"Subject: three\r\n\r\nhello\r\n").await.unwrap();
    assert!(server.violations().is_empty(), "{:?}", server.violations());
}

#[tokio::test]
async fn what_was_not_offered_is_noted() {
    let (server, _) = server(Personality::microsoft_365(), |_| {}).await;
    let mut session = session(&server).await;
    let mut selected = session.examine(&inbox(), &SelectOptions::default()).await.unwrap();
    assert!(selected.uid_fetch(&all(), "(UID X-GM-LABELS)", |_| {}).await.is_err());
    assert_eq!(server.violations(), ["terrya: uses X-GM-EXT-1, which was not offered"]);
}
