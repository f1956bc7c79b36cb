//! A mailbox on a real Dovecot, and an archive that another one serves.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) use crate::memory::MemoryLedger;
use crate::memory::{Listener, NoTime};
use mailhaul_engine::{
    Budget, DeletionPolicy, Mailbox as _, Pass, PassLimits, PassOptions, RemovalRules, Report, Slots,
};
use mailhaul_imap::{ConnectOptions, Credentials, MailboxName, Security, SelectOptions, Session};
use mailhaul_mail::{Flags, FolderPath, InternalDate, Secret, Uid, UidSet};
use mailhaul_remotes::{Account, ImapMailbox, Login, MaildirMailbox, Side};
use mailhaul_testkit::{Dovecot, Mailbox, Mailmaker, Setup, connect, differences, fill, snapshot};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) const USER: &str = "terrya";
/// Names that are difficult for servers and programs.
pub(crate) const FOLDERS: [&str; 7] =
    ["INBOX", "Gelöscht/日本語", "a.b/c d", "&-tilde~", "~lead", "back\\slash", "Sent/2020/cur"];

pub(crate) fn path(folder: &str) -> FolderPath {
    FolderPath::new(folder.split('/'))
}

/// A directory that a server of another user can read.
pub(crate) fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    home
}

pub(crate) async fn give(server: &Dovecot, folder: &str, messages: Vec<(Vec<u8>, Flags, InternalDate)>) {
    let mut session = connect(server.port(), USER, &Dovecot::password(USER)).await;
    fill(&mut session, folder, messages).await;
    session.logout().await.unwrap();
}

/// Mail with everything that can be lost.
pub(crate) async fn filled() -> Dovecot {
    let server = Setup { extra: LISTESCAPE.to_owned(), ..Setup::with_users(&[USER]) }.start();
    let mut maker = Mailmaker::new(41);
    for folder in FOLDERS {
        let mut messages: Vec<_> = (0..60)
            .map(|_| {
                let size = maker.size().min(200_000);
                maker.item(size)
            })
            .collect();
        messages.push(messages[7].clone());
        messages.push(messages[7].clone());
        messages.push((maker.nameless(), Flags::new(), maker.date()));
        messages.push((b"\r\nno header at all\r\n".to_vec(), Flags::new(), maker.date()));
        messages.push((b"Subject: no end of line".to_vec(), Flags::new(), maker.date()));
        messages.push((b"Subject: odd\r\n\r\n\r\r\n\0\x80\xff".to_vec(), Flags::new(), maker.date()));
        give(&server, folder, messages).await;
    }
    give(&server, "INBOX", vec![maker.item(20 << 20)]).await;
    let mut session = connect(server.port(), USER, &Dovecot::password(USER)).await;
    session.create(&MailboxName::from_text("Empty")).await.unwrap();
    for folder in ["Gelöscht/日本語", "a.b/c d", "~lead", "back\\slash"] {
        session.subscribe(&MailboxName::from_text(folder)).await.unwrap();
    }
    session.logout().await.unwrap();
    server
}

pub(crate) fn source(server: &Dovecot) -> ImapMailbox {
    source_at(server.port())
}

pub(crate) fn source_at(port: u16) -> ImapMailbox {
    ImapMailbox::new(Account {
        side: Side::Source,
        options: ConnectOptions::new("127.0.0.1", port, Security::Clear),
        login: Login::Password(Credentials::password(USER, Secret::new(Dovecot::password(USER)))),
        user_root: None,
        profile: None,
    })
}

pub(crate) fn archive(root: &Path) -> MaildirMailbox {
    MaildirMailbox::new(root.to_owned(), "terrya's archive".to_owned())
}

pub(crate) async fn pass(server: &Dovecot, root: &Path, ledger: &MemoryLedger) -> Report {
    pass_to(source(server), root, ledger).await
}

pub(crate) async fn pass_to(mut source: ImapMailbox, root: &Path, ledger: &MemoryLedger) -> Report {
    let mut target = archive(root);
    let pass = Pass {
        source: &mut source,
        target: &mut target,
        ledger,
        progress: &Listener::default(),
        clock: &NoTime,
        budget: &Budget::new(8 << 20),
        slots: &Slots::new(4),
        stop: &CancellationToken::new(),
        limits: &PassLimits::default(),
        options: &PassOptions {
            deletions: DeletionPolicy::Mirror,
            removals: RemovalRules { is_confirmed: true, ..RemovalRules::default() },
            ..PassOptions::default()
        },
    };
    let report = Box::pin(pass.run()).await;
    source.close().await;
    report
}

#[track_caller]
pub(crate) fn assert_synced(report: &Report) {
    assert!(report.is_synced(), "{report:#?}");
}

/// A Dovecot that serves the directory, with the plugin for the spelling of its names.
pub(crate) fn serve(root: &Path, extra: &str) -> Dovecot {
    hand_over(root);
    Setup {
        mail_location: format!("maildir:{}", root.display()),
        extra: extra.to_owned(),
        ..Setup::with_users(&[USER])
    }
    .start()
}

pub(crate) const LISTESCAPE: &str = "mail_plugins = listescape\n";

/// As root, Dovecot runs as another user.
pub(crate) fn hand_over(root: &Path) {
    if is_root(root) {
        let owned = Command::new("chown").args(["-R", "mail:mail"]).arg(root).status();
        assert!(owned.unwrap().success());
    }
}

pub(crate) fn is_root(root: &Path) -> bool {
    fs::metadata(root.parent().unwrap()).unwrap().uid() == 0
}

pub(crate) async fn session(server: &Dovecot) -> Session {
    connect(server.port(), USER, &Dovecot::password(USER)).await
}

/// Everything that the server shows. Dovecot shows INTERNALDATE of a Maildir in its own time zone, so that
/// only the moment counts.
pub(crate) async fn contents(server: &Dovecot) -> Mailbox {
    let mut session = session(server).await;
    let mut mailbox = snapshot(&mut session).await;
    session.logout().await.unwrap();
    for message in mailbox.values_mut().flat_map(|it| &mut it.messages) {
        message.date = InternalDate::parse(&message.date).unwrap().unix_seconds().to_string();
    }
    mailbox
}

#[track_caller]
pub(crate) fn assert_equal(source: &Mailbox, target: &Mailbox) {
    let told = differences(source, target);
    assert!(told.is_empty(), "{} differences:\n{}", told.len(), told[..told.len().min(20)].join("\n"));
}

/// The files below the directory, with facts that show a write.
pub(crate) fn files(root: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(it) = directories.pop() {
        for entry in fs::read_dir(&it).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                directories.push(path.clone());
            }
            files.insert(path, (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()));
        }
    }
    files
}

/// INTERNALDATE with its time zone, from mailhaul's own scan.
pub(crate) async fn dates(mut mailbox: impl mailhaul_engine::Mailbox, folder: &str) -> Vec<String> {
    let scan = mailbox.scan(&path(folder), None).await.unwrap();
    let mut dates: Vec<String> =
        scan.messages.iter().map(|it| it.internal_date.unwrap().to_string()).collect();
    dates.sort();
    dates
}

pub(crate) fn uids(numbers: &[u32]) -> UidSet {
    numbers.iter().filter_map(|it| Uid::new(*it)).collect()
}

pub(crate) fn flags(text: &str) -> Flags {
    text.split_whitespace().collect()
}

/// The UIDs and UIDVALIDITY that a server shows.
pub(crate) async fn numbers(server: &Dovecot, folder: &str) -> (u64, Vec<u32>) {
    let mut session = session(server).await;
    let mut selected =
        session.examine(&MailboxName::from_text(folder), &SelectOptions::default()).await.unwrap();
    let validity = selected.data().uid_validity.unwrap().get();
    let uids = selected.uid_search(&[mailhaul_imap::SearchKey::All]).await.unwrap();
    let uids = uids.iter().map(Uid::get).collect();
    session.logout().await.unwrap();
    (validity, uids)
}
