//! Every kind of server as source and as target: copies are equal to the byte.

use mailhaul_imap::MailboxName;
use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::{
    CourierSetup, CyrusSetup, Mailbox, Mailmaker, Message, Server, Setup, Shape, connect, corpus, offer,
    with_crlf,
};

use crate::{
    exceptions::kept,
    holdings::{assert_holds, name_on, shown},
    support::Haul,
};

const USER: &str = "annb";
/// Separator of folder names in this file, on every server.
const FOLDERS: [&str; 8] = [
    "INBOX",
    "Sent",
    "Drafts",
    "Gelöscht",
    "Gelöscht/日本語",
    "Projekte/Größe & Maße/2020",
    "Archive/2019/Q1",
    "&-tilde~",
];
/// Name of the folder for deleted mail on servers that create it.
const TRASH: &str = "Trash";
const SUBSCRIBED: [&str; 5] = ["INBOX", "Sent", "Drafts", "Gelöscht/日本語", "Archive/2019/Q1"];

struct Mail {
    folder: &'static str,
    octets: Vec<u8>,
    flags: Flags,
    date: InternalDate,
}

/// Real, generated and odd messages in all folders.
fn mail() -> Vec<Mail> {
    let mut maker = Mailmaker::new(21);
    let mut messages: Vec<Vec<u8>> = corpus().iter().map(|it| with_crlf(it)).collect();
    messages.extend((0..70).map(|number| maker.message(600 + 1_500 * number)));
    let (twice, nameless) = (maker.message(900), maker.nameless());
    messages.extend([twice.clone(), twice, nameless.clone(), nameless]);
    messages.extend(
        [
            &b"\r\nno header at all\r\n"[..],
            b"Subject: no end of line",
            b"Subject: no body\r\n\r\n",
            b"Subject: only a header\r\n",
            b"From: J\xf6rg\r\nSubject: 8-bit \xc3\xbc\r\n\r\ntext\r\n",
        ]
        .map(<[u8]>::to_vec),
    );
    messages.push([b"Subject: long line\r\n\r\n", [b'x'; 3_000].as_slice(), b"\r\n"].concat());
    let place = |number: usize| FOLDERS[number % FOLDERS.len()];
    let mut all: Vec<Mail> = (0..)
        .zip(messages)
        .map(|(number, octets)| Mail {
            folder: place(number),
            octets,
            flags: maker.flags(),
            date: maker.date(),
        })
        .collect();
    for (number, (seconds, zone)) in
        [(86_400, 0), (951_826_154, 0), (1_700_000_000, 840), (1_600_000_000, -720)].into_iter().enumerate()
    {
        let date = InternalDate::new(seconds, zone).unwrap();
        all.push(Mail { folder: place(number), octets: maker.message(500), flags: maker.flags(), date });
    }
    all
}

/// Returns the mail as it arrives after the servers of these shapes.
fn expected(mail: &[Mail], way: &[&Shape]) -> Mailbox {
    let mut mailbox = Mailbox::new();
    for folder in FOLDERS {
        mailbox.entry(folder.to_owned()).or_default().subscribed = SUBSCRIBED.contains(&folder);
    }
    for it in mail {
        let octets = way.iter().try_fold(it.octets.clone(), |octets, shape| kept(shape, octets));
        let message =
            octets.map(|octets| Message::new(&octets, &it.flags, it.date.unix_seconds().to_string()));
        mailbox.entry(it.folder.to_owned()).or_default().messages.extend(message);
    }
    mailbox
}

/// Appends the mail to the server. Refusals must match the exceptions.
async fn load(mail: &[Mail], shape: &Shape, server: &dyn Server) {
    let mut session = connect(server.port(), USER, &format!("secret-{USER}")).await;
    for folder in FOLDERS {
        let inside: Vec<&Mail> = mail.iter().filter(|it| it.folder == folder).collect();
        let messages = inside.iter().map(|it| (it.octets.clone(), it.flags.clone(), it.date));
        let refused = offer(&mut session, &name_on(shape, folder), messages.collect::<Vec<_>>()).await;
        let places: Vec<usize> = refused.iter().map(|(place, _)| *place).collect();
        let told = inside.iter().enumerate().filter(|(_, it)| kept(shape, it.octets.clone()).is_none());
        assert_eq!(places, told.map(|(place, _)| place).collect::<Vec<_>>(), "{folder}: {refused:?}");
    }
    for folder in SUBSCRIBED {
        session.subscribe(&MailboxName::from_text(&name_on(shape, folder))).await.unwrap();
    }
    session.logout().await.unwrap();
}

/// The source's folder of deleted mail, which is known by its name, goes to the target's own, with what is below it.
fn by_its_use(mailbox: Mailbox, made: &Mailbox) -> Mailbox {
    let renamed = mailbox.into_iter().map(|(name, mut folder)| {
        let name = name.strip_prefix("Gelöscht").map_or(name.clone(), |below| TRASH.to_owned() + below);
        folder.subscribed |= made.get(&name).is_some_and(|it| it.subscribed);
        (name, folder)
    });
    renamed.collect()
}

fn count(mailbox: &Mailbox) -> u64 {
    mailbox.values().map(|it| it.messages.len() as u64).sum()
}

/// Runs twice; the second run has nothing to do.
async fn hauls(from: Shape, to: Shape) {
    let (source, target) = (from.clone().start(), to.clone().start());
    let mail = mail();
    let (mut at_source, mut at_target) = (expected(&mail, &[&from]), expected(&mail, &[&from, &to]));
    // Folders that the servers have made by themselves.
    let (made_at_source, made_at_target) =
        (shown(&from, &*source, USER).await, shown(&to, &*target, USER).await);
    if made_at_target.contains_key(TRASH) && !made_at_source.contains_key(TRASH) {
        at_target = by_its_use(at_target, &made_at_target);
    }
    at_source = [made_at_source.clone(), at_source].into_iter().flatten().collect();
    at_target = [made_at_target, made_at_source, at_target].into_iter().flatten().collect();
    load(&mail, &from, &*source).await;
    let (copied, skipped) = (count(&at_target), count(&at_source) - count(&at_target));

    let haul = Haul::new(USER, source.port(), target.port());
    let code = if skipped == 0 { 0 } else { 10 };
    let mailbox = |ran: crate::common::Ran| {
        let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        ["copied", "skipped", "alreadyThere"].map(|it| value["mailboxes"][0][it].as_u64().unwrap())
    };
    assert_eq!(mailbox(haul.expect(code, &["--json"])), [copied, skipped, 0]);
    assert_holds("source", &at_source, &shown(&from, &*source, USER).await);
    assert_holds("target", &at_target, &shown(&to, &*target, USER).await);

    assert_eq!(mailbox(haul.expect(code, &["--json"])), [0, skipped, copied]);
    assert_holds("target after a second run", &at_target, &shown(&to, &*target, USER).await);
}

fn sdbox() -> Setup {
    Setup::with_users(&[USER]).with_special_use()
}

fn maildir_with_dots() -> Setup {
    Setup::with_users(&[USER]).maildir().separated_by('.')
}

fn below_inbox() -> Setup {
    Setup::with_users(&[USER]).below_inbox()
}

fn cyrus() -> CyrusSetup {
    CyrusSetup { has_special_use: true, ..CyrusSetup::with_users(&[USER]) }
}

fn courier() -> CourierSetup {
    CourierSetup::with_users(&[USER])
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecot_to_dovecot() {
    hauls(Shape::Dovecot(sdbox().with_virtual_namespace()), Shape::Dovecot(below_inbox())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecot_to_cyrus() {
    hauls(Shape::Dovecot(maildir_with_dots()), Shape::Cyrus(cyrus().traditional())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecot_to_courier() {
    hauls(Shape::Dovecot(below_inbox().literal_minus()), Shape::Courier(courier())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_to_dovecot() {
    hauls(Shape::Cyrus(cyrus()), Shape::Dovecot(sdbox().literal_minus())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_to_cyrus() {
    hauls(Shape::Cyrus(cyrus().traditional()), Shape::Cyrus(cyrus())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_to_courier() {
    hauls(Shape::Cyrus(cyrus()), Shape::Courier(courier())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn courier_to_dovecot() {
    hauls(Shape::Courier(courier()), Shape::Dovecot(maildir_with_dots())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn courier_to_cyrus() {
    hauls(Shape::Courier(courier()), Shape::Cyrus(cyrus())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn courier_to_courier() {
    hauls(Shape::Courier(courier()), Shape::Courier(courier())).await;
}
