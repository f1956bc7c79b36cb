//! Whole passes from a server in memory into a Maildir on a disk that can fail.

mod failures;
mod neighbours;
#[path = "../../../../engine/tests/support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use mailhaul_engine::{
    Budget, DeletionPolicy, Error, ErrorKind, FolderRecord, FolderState, Ledger, LedgerRecord, Mailbox as _,
    MessageState, Pass, PassLimits, PassOptions, RemovalRules, Report, Slots,
};
use mailhaul_mail::{FolderPath, Uid, UidSet};
use support::{Listener, MemoryLedger, NoTime, Remote};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{MaildirMailbox, disk::Before, folder_directory::FolderDirectory, run::Run};

/// The failure at a step of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// Nothing more happens, and the ledger learns nothing: the process is gone.
    Killed,
    /// The disk is full from here on.
    Full,
    /// Only this step fails.
    Hiccup,
}

/// Fails at one step.
struct Trap {
    failure: Failure,
    at: u32,
    steps: AtomicU32,
    is_dead: AtomicBool,
    log: Mutex<Vec<String>>,
}

impl Trap {
    fn at(failure: Failure, at: u32) -> Arc<Self> {
        let log = Mutex::default();
        Arc::new(Self { failure, at, steps: AtomicU32::new(0), is_dead: AtomicBool::new(false), log })
    }

    /// Counts and logs, without a failure.
    fn none() -> Arc<Self> {
        Self::at(Failure::Hiccup, u32::MAX)
    }

    fn steps(&self) -> u32 {
        self.steps.load(Ordering::SeqCst)
    }

    fn before(self: Arc<Self>) -> Before {
        Arc::new(move |what: &str, path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.log.lock().unwrap().push(format!("{what} {name}"));
            let step = self.steps.fetch_add(1, Ordering::SeqCst);
            if step < self.at {
                return Ok(());
            }
            match self.failure {
                Failure::Killed => {
                    self.is_dead.store(true, Ordering::SeqCst);
                    Err(io::Error::other("killed"))
                }
                // Removing works on a full disk.
                Failure::Full if matches!(what, "remove" | "cut" | "sync") => Ok(()),
                Failure::Full => Err(io::Error::new(io::ErrorKind::StorageFull, "no room")),
                Failure::Hiccup if step == self.at => Err(io::Error::other("away for a moment")),
                Failure::Hiccup => Ok(()),
            }
        })
    }
}

/// A ledger that ends with the process, and writes into the same log.
struct MortalLedger(MemoryLedger, Arc<Trap>);

impl Ledger for MortalLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        self.0.folders().await
    }

    async fn folder(&self, folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        self.0.folder(folder).await
    }

    async fn folder_around(&self, folder: &FolderPath, uids: &UidSet) -> Result<Option<FolderState>, Error> {
        self.0.folder_around(folder, uids).await
    }

    async fn record(&self, records: &[LedgerRecord]) -> Result<(), Error> {
        if self.1.is_dead.load(Ordering::SeqCst) {
            return Err(Error::ledger("killed"));
        }
        let is_done = |it: &LedgerRecord| {
            matches!(it, LedgerRecord::Message { state: Some(MessageState::Done(_)), .. })
        };
        if records.iter().any(is_done) {
            self.1.log.lock().unwrap().push("recorded".to_owned());
        }
        self.0.record(records).await
    }
}

/// A directory in memory, if the machine has one. These tests need no real disk.
fn directory() -> TempDir {
    let builder = tempfile::Builder::new();
    if Path::new("/dev/shm").is_dir() { builder.tempdir_in("/dev/shm") } else { builder.tempdir() }.unwrap()
}

/// The Maildir in the view of a new process.
fn mailbox(root: &Path, trap: &Arc<Trap>) -> MaildirMailbox {
    static PROCESSES: AtomicU32 = AtomicU32::new(0);
    let mut mailbox = MaildirMailbox::new(root.join("Maildir"), "annb".to_owned());
    // No living process has this number.
    mailbox.archive.run = Arc::new(Run::new(1_000_000_000 + PROCESSES.fetch_add(1, Ordering::SeqCst)));
    mailbox.archive.disk.before = Some(trap.clone().before());
    mailbox
}

async fn pass(source: &Remote, root: &Path, ledger: &MemoryLedger, trap: &Arc<Trap>) -> Report {
    Pass {
        source: &mut source.clone(),
        target: &mut mailbox(root, trap),
        ledger: &MortalLedger(ledger.clone(), trap.clone()),
        progress: &Listener::default(),
        clock: &NoTime,
        budget: &Budget::new(100),
        slots: &Slots::new(1),
        stop: &CancellationToken::new(),
        limits: &PassLimits::default(),
        options: &PassOptions {
            deletions: DeletionPolicy::Mirror,
            removals: RemovalRules { is_confirmed: true, ..RemovalRules::default() },
            ..PassOptions::default()
        },
    }
    .run()
    .await
}

type Contents = BTreeMap<String, Vec<(String, String, String)>>;

/// All messages by folder, in the form of [`Remote::contents`].
async fn contents(root: &Path) -> Contents {
    let mut mailbox = mailbox(root, &Trap::none());
    let mut contents = Contents::new();
    for folder in mailbox.folders().await.unwrap() {
        let scan = mailbox.scan(&folder.path, None).await.unwrap();
        let directory = mailbox.archive.folder_directory(&folder.path);
        let mut messages: Vec<_> = scan
            .messages
            .iter()
            .map(|it| {
                let date = it.internal_date.map(|date| date.to_string()).unwrap_or_default();
                (body(&directory, it.uid), it.flags.to_string(), date)
            })
            .collect();
        messages.sort();
        contents.insert(folder.path.to_string(), messages);
    }
    contents
}

fn body(directory: &FolderDirectory, uid: Uid) -> String {
    let look = directory.look().unwrap();
    let entry = look.list.entries.iter().find(|it| it.uid == uid).unwrap();
    String::from_utf8(fs::read(directory.file(&look.files[&entry.base])).unwrap()).unwrap()
}

/// All files below the root, without messages and the usual files of a folder.
fn litter(root: &Path) -> Vec<String> {
    let mut litter = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(it) = directories.pop() {
        for entry in fs::read_dir(&it).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.file_name().unwrap().to_str().unwrap();
                let is_usual = ["dovecot-uidlist", "dovecot-keywords", "maildirfolder", "mailhaul-name"];
                if !is_usual.contains(&name) && !it.ends_with("cur") {
                    litter.push(path.display().to_string());
                }
            }
        }
    }
    litter
}

fn text(number: u32) -> String {
    let filler = "x".repeat((number * 13 % 90) as usize);
    format!("Message-ID: <{number}@example.net>\r\nSubject: number {number}\r\n\r\n{filler}\r\n")
}

fn filled() -> Remote {
    let remote = Remote::default();
    {
        let mut server = remote.server();
        server.tells_vanished = true;
        let inbox = server.folder("INBOX");
        for number in 0..4 {
            inbox.add(if number % 2 == 0 { "\\Seen work" } else { "" }, &text(number));
        }
        // Duplicates, similar messages, and messages without identifying fields.
        inbox.add("", &text(1));
        inbox.add("\\Flagged", &format!("{}another body", text(2)));
        inbox.add("", "no header at all");
        inbox.add("", "no header at all");
        inbox.add("", "");
        server.folder("a.b/~c").add("\\Seen", &text(20));
        server.folder(&"日本語".repeat(40)).add("$Forwarded", &text(21));
    }
    remote
}

/// The user's changes between two passes.
fn changed(source: &Remote) {
    let mut server = source.server();
    let inbox = server.folder("INBOX");
    inbox.set_flags(2, "\\Answered later");
    inbox.set_flags(1, "");
    let moved = inbox.expunge(4).unwrap();
    inbox.expunge(9).unwrap();
    inbox.add("\\Seen", &text(50));
    server.folder("New").take(moved);
}

fn assert_synced(report: &Report, what: &str) {
    assert!(report.is_synced(), "{what}: {report:#?}");
}
