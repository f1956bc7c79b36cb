//! Transcripts as servers: a mailbox on one, and whole passes from one into memory.

use std::{sync::Mutex, time::Duration};

use mailhaul_engine::{Budget, Clock, Event, Mailbox as _, Pass, PassOptions, Places, Progress, Report};
use mailhaul_imap::Security;
use mailhaul_remotes::{Account, ImapMailbox, Side};
use mailhaul_testkit::peer::{Peer, alice, peer, transcript};
use tokio_util::sync::CancellationToken;

use crate::memory::{MemoryLedger, Remote};

/// alice's mailbox on a server that follows the transcript.
pub(crate) async fn mailbox(name: &str, side: Side) -> (ImapMailbox, Peer) {
    let peer = peer(&transcript(name)).await;
    let options = peer.options(Security::Clear);
    let account = Account { side, options, credentials: alice(), user_root: None, profile: None };
    (ImapMailbox::new(account), peer)
}

/// What happened in a pass.
pub(crate) struct Passed {
    pub(crate) report: Report,
    /// How long was waited, each time after something broke.
    pub(crate) waits: Vec<Duration>,
    /// What broke, and which folders failed, in words.
    pub(crate) told: Vec<String>,
}

impl Passed {
    pub(crate) fn copied(&self) -> u64 {
        self.report.total(|it| it.copied)
    }
}

/// A pass from the server of the transcript, which must be followed to its end, over one connection at a time.
pub(crate) async fn pass(name: &str, target: &Remote, ledger: &MemoryLedger) -> Passed {
    let (mut source, peer) = mailbox(name, Side::Source).await;
    let witness = Witness::default();
    let report = Pass {
        source: &mut source,
        target: &mut target.clone(),
        ledger,
        progress: &witness,
        clock: &witness,
        budget: &Budget::new(1 << 20),
        places: &Places::new(1),
        stop: &CancellationToken::new(),
        options: &PassOptions::default(),
    }
    .run()
    .await;
    let _ = source.reconnect().await;
    peer.done().await;
    Passed { report, waits: witness.waits.into_inner().unwrap(), told: witness.told.into_inner().unwrap() }
}

/// Remembers what it is told, and does not wait.
#[derive(Default)]
struct Witness {
    waits: Mutex<Vec<Duration>>,
    told: Mutex<Vec<String>>,
}

impl Clock for Witness {
    async fn sleep(&self, _: Duration) {}
}

impl Progress for Witness {
    fn event(&self, event: Event<'_>) {
        let words = match event {
            Event::Retrying { error, after } => {
                self.waits.lock().unwrap().push(after);
                error.to_string()
            }
            Event::FolderFailed { folder, error } => format!("{folder} failed: {error}"),
            _ => return,
        };
        self.told.lock().unwrap().push(words);
    }
}
