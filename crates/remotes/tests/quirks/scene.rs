//! Whole passes from a server that follows a transcript into memory.

use std::{sync::Mutex, time::Duration};

use mailhaul_engine::{
    Budget, Clock, Error, ErrorKind, Event, Mailbox as _, Pass, PassLimits, PassOptions, Progress, Report,
    Slots,
};
use mailhaul_mail::FolderPath;
use mailhaul_remotes::ImapMailbox;
use tokio_util::sync::CancellationToken;

use crate::{
    memory::{MemoryLedger, Remote},
    support::source,
};

/// The folders that the server lists: path, messages, and folders that cannot be opened in parentheses.
pub(crate) async fn folders(mailbox: &mut ImapMailbox) -> Result<Vec<String>, Error> {
    let mut folders = mailbox.folders().await?;
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    let tell = |it: &mailhaul_engine::Folder| match it.status {
        _ if !it.selectable => format!("({})", it.path),
        Some(status) => format!("{} {}", it.path, status.messages),
        None => it.path.to_string(),
    };
    Ok(folders.iter().map(tell).collect())
}

/// The events of a pass.
pub(crate) struct Passed {
    pub(crate) report: Report,
    /// Waits in seconds, each after an error.
    pub(crate) waits: Vec<f64>,
    /// Errors and failed folders, in words.
    pub(crate) told: Vec<String>,
    /// The contents of the target: folder and subject, in the order of arrival.
    pub(crate) arrived: Vec<String>,
    /// The size of each of them (bytes).
    pub(crate) sizes: Vec<usize>,
}

impl Passed {
    pub(crate) fn error(&self) -> Option<(ErrorKind, &str)> {
        self.report.error.as_ref().map(|it| (it.kind, it.message.as_str()))
    }

    /// Asserts that the pass succeeded, and brought exactly this: folder and subject.
    #[track_caller]
    pub(crate) fn brought(&self, messages: &[&str]) {
        assert_eq!(self.error(), None);
        assert_eq!(self.arrived, messages);
    }

    /// Remarks on folders for the operator.
    pub(crate) fn remarks(&self) -> Vec<&str> {
        self.report.folders.iter().flat_map(|it| &it.tally.remarks).map(String::as_str).collect()
    }

    /// The skipped messages, with their reasons.
    pub(crate) fn skipped(&self) -> Vec<&str> {
        self.report.folders.iter().flat_map(|it| &it.tally.skipped).map(|it| it.reason.as_str()).collect()
    }
}

/// A pass from the server of the transcript, which must be followed to its end, over one connection at a
/// time.
pub(crate) async fn pass(name: &str) -> Passed {
    let mut play = source(name).await;
    let (target, witness) = (Remote::default(), Witness::default());
    let options = PassOptions::default();
    let pass = Pass {
        source: &mut play.mailbox,
        target: &mut target.clone(),
        ledger: &MemoryLedger::default(),
        progress: &witness,
        clock: &witness,
        budget: &Budget::new(1 << 20),
        // No further lane: the connections come one after the other.
        slots: &Slots::new(0),
        stop: &CancellationToken::new(),
        limits: &PassLimits::default(),
        options: &options,
    };
    let report = Box::pin(pass.run()).await;
    play.done().await;
    let (mut arrived, mut sizes) = (Vec::new(), Vec::new());
    for (folder, stored) in &target.server().folders {
        sizes.extend(stored.messages.values().map(|it| it.body.len()));
        arrived.extend(stored.messages.values().map(|it| format!("{folder}: {}", subject(&it.body))));
    }
    Passed {
        report,
        waits: witness.waits.into_inner().unwrap().iter().map(Duration::as_secs_f64).collect(),
        told: witness.told.into_inner().unwrap(),
        arrived,
        sizes,
    }
}

fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.lines().find_map(|it| it.strip_prefix("Subject: ")).unwrap_or_default().to_owned()
}

pub(crate) fn inbox() -> FolderPath {
    FolderPath::inbox()
}

/// Records its events, and does not wait.
#[derive(Default)]
struct Witness {
    waits: Mutex<Vec<Duration>>,
    told: Mutex<Vec<String>>,
}

impl Clock for Witness {
    fn now(&self) -> Duration {
        Duration::from_hours(480_000)
    }

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
