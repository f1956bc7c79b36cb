//! A real Courier as the source.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use mailhaul_engine::{Budget, FetchedPart, Mailbox as _, Source as _, WantedMessage, pipe};
use mailhaul_imap::{ConnectOptions, Credentials, Security};
use mailhaul_mail::{Flags, FolderPath, InternalDate, Secret};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side};
use mailhaul_testkit::{CourierSetup, Server as _, connect, fill};

fn with_parts(parts: usize) -> Vec<u8> {
    let mut text = "From: ann@example.org\r\nSubject: parts\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n"
        .to_owned();
    for part in 1..=parts {
        write!(text, "--x\r\nContent-Type: text/plain\r\n\r\npart {part}\r\n").unwrap();
    }
    (text + "--x--\r\n").into_bytes()
}

/// Quirk 146.
#[tokio::test(flavor = "multi_thread")]
async fn courier_gives_all_parts_of_a_message() {
    let server = CourierSetup::with_users(&["alice"]).start();
    let messages = [with_parts(10), with_parts(400)];
    let mut session = connect(server.port(), "alice", "secret-alice").await;
    let date = InternalDate::new(1_577_836_800, 0).unwrap();
    let arriving = messages.iter().map(|it| (it.clone(), Flags::new(), date));
    fill(&mut session, "INBOX", arriving.collect::<Vec<_>>()).await;
    let mut mailbox = ImapMailbox::new(Account {
        side: Side::Source,
        options: ConnectOptions::new("127.0.0.1", server.port(), Security::Clear),
        login: Login::Password(Credentials::password("alice", Secret::new("secret-alice"))),
        user_root: None,
        profile: None,
    });
    let inbox = FolderPath::inbox();
    let scan = mailbox.scan(&inbox, None).await.unwrap();
    let wanted: Vec<WantedMessage> =
        scan.messages.iter().map(|it| WantedMessage { uid: it.uid, size: it.size }).collect();
    let (outlet, mut inlet) = pipe(&Budget::new(1 << 20));
    let reading = async {
        let mut bodies = Vec::new();
        while let Some(piece) = inlet.next().await {
            let FetchedPart::Message(_, body) = piece else { panic!("{piece:?}") };
            bodies.push(body);
        }
        bodies
    };
    let (missing, bodies) = tokio::join!(mailbox.fetch(&inbox, &wanted, outlet), reading);
    assert_eq!((missing.unwrap(), bodies.len()), (Vec::new(), 2));
    assert!(bodies.iter().zip(&messages).all(|(body, sent)| body == sent));
    let flags: Vec<bool> = mailbox
        .scan(&inbox, None)
        .await
        .unwrap()
        .messages
        .iter()
        .map(|it| it.flags.iter().any(|flag| flag == "\\Seen"))
        .collect();
    assert_eq!(flags, [false, false], "to read sets no flag");
}
