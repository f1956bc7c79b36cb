//! Progress of a pass: statistics, report lines, and updates for the worker.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use mailhaul_engine::{Error, Event, Progress};
use mailhaul_migration::Statistics;
use mailhaul_store::ReportEntry;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{forecast::Forecast, stall::Steps};
use crate::output::text;

/// Statistics of a user: those of earlier passes, and the counts of this one.
#[derive(Debug)]
pub(crate) struct Tally {
    before: Statistics,
    expected_bytes: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    listed: AtomicU64,
    /// Opened, scanned and finished folders.
    folder_steps: AtomicU64,
    /// Scanned messages.
    scanned: Arc<AtomicU64>,
    stalled_since: Mutex<Option<Timestamp>>,
    stalled_millis: AtomicU64,
    /// Forecast, if bytes per day are limited.
    forecast: Mutex<Option<Forecast>>,
}

impl Tally {
    pub(crate) fn new(before: Statistics) -> Self {
        Self {
            before,
            expected_bytes: AtomicU64::new(0),
            items: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            folder_steps: AtomicU64::new(0),
            scanned: Arc::default(),
            stalled_since: Mutex::new(None),
            stalled_millis: AtomicU64::new(0),
            forecast: Mutex::new(None),
        }
    }

    pub(crate) fn forecast(&self) -> Option<Forecast> {
        *self.forecast.lock()
    }

    pub(crate) fn set_forecast(&self, forecast: Option<Forecast>) {
        *self.forecast.lock() = forecast;
    }

    /// Current statistics.
    pub(crate) fn statistics(&self) -> Statistics {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (items, bytes) = (of(&self.items), of(&self.bytes));
        Statistics {
            total_items: self.before.total_items.max(of(&self.listed)),
            synced_items: self.before.synced_items + items,
            skipped_items: self.before.skipped_items.max(of(&self.skipped)),
            estimated_bytes: of(&self.expected_bytes),
            bytes_transferred: self.before.bytes_transferred + bytes,
            pass_bytes: bytes,
            pass_items: items,
            stalled_millis: self.before.stalled_millis + of(&self.stalled_millis) + self.stalled_now(),
            ..self.before
        }
    }

    /// Work of this pass so far.
    pub(super) fn steps(&self) -> Steps {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Steps {
            items: of(&self.items) + of(&self.skipped) + of(&self.folder_steps),
            scanned: of(&self.scanned),
            bytes: of(&self.bytes),
        }
    }

    /// Counter of scanned messages, for the mailboxes.
    pub(super) fn scanned(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.scanned)
    }

    fn stalled_now(&self) -> u64 {
        let since = *self.stalled_since.lock();
        since.map_or(0, millis_since)
    }

    fn set_stalled(&self, is_stalled: bool) {
        let mut since = self.stalled_since.lock();
        if is_stalled {
            since.get_or_insert(Timestamp::now());
        } else if let Some(since) = since.take() {
            self.stalled_millis.fetch_add(millis_since(since), Ordering::Relaxed);
        }
    }
}

fn millis_since(then: Timestamp) -> u64 {
    u64::try_from(Timestamp::now().as_millisecond() - then.as_millisecond()).unwrap_or(0)
}

/// Update from a running pass.
#[derive(Debug)]
pub(crate) enum ProgressUpdate {
    /// Both mailboxes are open and their folders are known.
    Validated,
    /// Line of the report.
    Entry(ReportEntry),
    /// Error from which the pass recovers, and the connection pair that got it.
    Error(Error, ConnectionPair),
}

/// Connection pair of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionPair {
    /// The pair that the pass cannot do without.
    First,
    /// Additional pair.
    Further,
}

/// Receives the events of one pass.
pub(crate) struct UserProgress<'a> {
    pub(crate) tally: &'a Tally,
    pub(crate) updates: mpsc::UnboundedSender<ProgressUpdate>,
}

impl UserProgress<'_> {
    fn report(&self, text: String) {
        self.send(ProgressUpdate::Entry(ReportEntry { time: Timestamp::now(), text }));
    }

    fn error(&self, error: &Error, pair: ConnectionPair) {
        self.send(ProgressUpdate::Error(error.clone(), pair));
    }

    fn send(&self, update: ProgressUpdate) {
        // The receiver is gone only after the pass has ended.
        _ = self.updates.send(update);
    }
}

impl Progress for UserProgress<'_> {
    fn event(&self, event: Event<'_>) {
        let add = |number: &AtomicU64, more: u64| _ = number.fetch_add(more, Ordering::Relaxed);
        if let Event::Folder { .. } | Event::FolderDone { .. } | Event::Unchanged { .. } = event {
            add(&self.tally.folder_steps, 1);
        }
        match event {
            Event::Planned { folders } => {
                self.tally.set_stalled(false);
                self.tally
                    .listed
                    .store(folders.iter().map(|(_, messages)| messages).sum(), Ordering::Relaxed);
                self.send(ProgressUpdate::Validated);
                match folders.len() as u64 {
                    0 => self.report("Nothing has changed since the last sync.".to_owned()),
                    many => {
                        self.report(format!("{} to scan.", text::count(many, "folder", "folders")));
                    }
                }
            }
            Event::Unmatched { option } => {
                self.report(format!("Warning: {}.", text::unmatched_of_batch(option)));
            }
            Event::Folder { folder, reason, messages, bytes } => {
                add(&self.tally.expected_bytes, bytes);
                let many = text::count(messages, "message", "messages");
                self.report(format!("Folder {folder}: {many}, {} to copy ({reason}).", text::bytes(bytes)));
            }
            Event::Arrived { messages, bytes, .. } => {
                self.tally.set_stalled(false);
                add(&self.tally.items, messages);
                add(&self.tally.bytes, bytes);
            }
            Event::FolderDone { folder, tally } => {
                self.report(format!(
                    "Folder {folder}: done: {} copied, {} already there, {} skipped.",
                    tally.copied,
                    tally.already,
                    tally.skipped.len()
                ));
                tally.notes().into_iter().for_each(|note| self.report(format!("Folder {folder}: {note}.")));
            }
            Event::Unchanged { .. } => {}
            Event::Skipped { folder, uid, reason } => {
                add(&self.tally.skipped, 1);
                self.report(format!("Folder {folder}: the message with UID {uid} was skipped: {reason}"));
            }
            Event::Repaired { folder, item } => self.report(text::repaired(folder, item)),
            Event::Waiting { folder, words } => {
                self.report(format!("Folder {folder}: {words} (Set-MigrationUser -ConfirmDeletions)."));
            }
            Event::Emptied { folder, is_removed } => {
                self.report(format!("{}.", text::emptied(folder, is_removed)));
            }
            Event::StaySubscribed { folders } => self.report(format!("{}.", text::stay_subscribed(folders))),
            Event::FolderFailed { folder, error } => {
                self.report(format!("Folder {folder} was left unfinished: {error}"));
            }
            Event::ConnectionPairEnded { error } => {
                self.error(error, ConnectionPair::Further);
                self.report(format!("{error}; retrying over another connection."));
            }
            Event::Retrying { error, after } => {
                self.error(error, ConnectionPair::First);
                self.tally.set_stalled(true);
                self.report(format!("{error}; retrying in {} s.", after.as_secs()));
            }
        }
    }
}
