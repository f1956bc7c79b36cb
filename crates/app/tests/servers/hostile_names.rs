//! Folder names that servers interpret differently: over several real servers none is lost, and no two are
//! merged.

use std::collections::BTreeMap;

use mailhaul_imap::{ErrorKind, MailboxName};
use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::{CyrusSetup, Server, Setup, Shape, connect, fill};

use crate::{common::contents, holdings::name_on, support::Haul};

const USER: &str = "annb";

/// Separator of folder names in this file.
const NAMES: [&str; 40] = [
    "a",
    "A",
    "a.b",
    "a․b",
    "a/b",
    "a/b.c",
    "v1.2.3",
    ".dot",
    "dot.",
    "per%cent",
    "star*",
    "quo\"te",
    "back\\slash",
    "tilde~",
    "~tilde",
    "&amp",
    "you & me",
    " leading",
    "trailing ",
    "double  blank",
    "Größe",
    "Gro\u{308}ße",
    "日本語",
    "^caret",
    "[Gmail]",
    "Files",
    "Inbox2",
    "INBOX/below",
    "{7}",
    "#hash",
    "(paren)",
    "it's",
    "why?",
    "x:y",
    "semi;colon",
    "com,ma",
    "@at",
    "<lt>",
    "$dollar",
    "‛mark",
];

/// Creates the folders, each with one message that names it. Returns the number that the server accepted.
async fn load(shape: &Shape, server: &dyn Server) -> usize {
    let mut session = connect(server.port(), USER, &format!("secret-{USER}")).await;
    let (_, separator) = shape.naming();
    let mut made = 0;
    // What separates levels on this server is no part of a name there.
    for name in NAMES.into_iter().filter(|it| separator == '/' || !it.contains(separator)) {
        let on_server = name_on(shape, name);
        match session.create(&MailboxName::from_text(&on_server)).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::AlreadyExists => {}
            Err(_) => continue,
        }
        let message = format!(
            "From: a@example.org\r\nMessage-ID: <{made}@example.org>\r\nSubject: x\r\n\r\n{name}\r\n"
        );
        let date = InternalDate::new(1_500_000_000, 0).unwrap();
        fill(&mut session, &on_server, [(message.into_bytes(), Flags::new(), date)]).await;
        made += 1;
    }
    session.logout().await.unwrap();
    made
}

/// Returns the messages of each folder, and its name.
async fn together(server: &dyn Server) -> BTreeMap<Vec<String>, String> {
    let folders = contents(server.port(), USER).await;
    let with_mail = folders.into_iter().filter(|(_, it)| !it.messages.is_empty());
    let digests = |it: mailhaul_testkit::Folder| {
        let mut digests: Vec<String> = it.messages.into_iter().map(|it| it.digest).collect();
        digests.sort();
        digests
    };
    with_mail.map(|(name, it)| (digests(it), name)).collect()
}

/// Migrates to a second and a third server, each with a second run that has nothing to do.
async fn goes(way: [Shape; 3], least: usize) {
    let [first, second, third] = way.clone().map(Shape::start);
    let made = load(&way[0], &*first).await;
    assert!(made >= least, "the source could hold only {made} of {}", NAMES.len());
    let source: Vec<Vec<String>> = together(&*first).await.into_keys().collect();
    assert_eq!(source.iter().map(Vec::len).sum::<usize>(), made);
    for (from, to) in [(&first, &second), (&second, &third)] {
        let haul = Haul::new(USER, from.port(), to.port());
        haul.expect(0, &[]);
        let arrived = together(&**to).await;
        assert_eq!(arrived.keys().cloned().collect::<Vec<_>>(), source, "{arrived:?}");
        haul.expect(0, &[]);
        assert_eq!(together(&**to).await, arrived);
    }
}

fn dotted() -> Shape {
    Shape::Dovecot(Setup::with_users(&[USER]).maildir().separated_by('.'))
}

fn slashed() -> Shape {
    Shape::Cyrus(CyrusSetup::with_users(&[USER]))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_cyrus_with_slashes_to_dovecot_with_dots_and_on() {
    goes([slashed(), dotted(), slashed()], 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_dovecot_with_dots_to_cyrus_with_slashes_and_on() {
    goes([dotted(), slashed(), dotted()], 25).await;
}
