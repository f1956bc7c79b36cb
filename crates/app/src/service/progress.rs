//! How a pass gets on: numbers for whoever asks, entries for the report, and a word when both mailboxes are open.

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
use crate::text;

/// The user's numbers: those of earlier passes, and what this one adds.
#[derive(Debug)]
pub(crate) struct Tally {
    before: Statistics,
    expected_bytes: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    listed: AtomicU64,
    /// Folders that were looked into, opened and finished.
    folder_steps: AtomicU64,
    /// Messages that scans have shown.
    scanned: Arc<AtomicU64>,
    stalled_since: Mutex<Option<Timestamp>>,
    stalled_millis: AtomicU64,
    /// How long it will take, where a day's octets are limited.
    forecast: Mutex<Option<Forecast>>,
}

impl Tally {
    /// On top of these.
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

    /// How long it will take, as was last foreseen.
    pub(crate) fn forecast(&self) -> Option<Forecast> {
        *self.forecast.lock()
    }

    /// From now on it will take so long.
    pub(crate) fn foresee(&self, forecast: Option<Forecast>) {
        *self.forecast.lock() = forecast;
    }

    /// The numbers as they are now.
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
            stalled_millis: self.before.stalled_millis + of(&self.stalled_millis) + self.stalling(),
            ..self.before
        }
    }

    /// What this pass has done so far.
    pub(super) fn steps(&self) -> Steps {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Steps {
            items: of(&self.items) + of(&self.skipped) + of(&self.folder_steps),
            scanned: of(&self.scanned),
            bytes: of(&self.bytes),
        }
    }

    /// The counter of messages that scans show, for the mailboxes.
    pub(super) fn scanned(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.scanned)
    }

    fn stalling(&self) -> u64 {
        let since = *self.stalled_since.lock();
        since.map_or(0, millis_since)
    }

    fn stalls(&self, does: bool) {
        let mut since = self.stalled_since.lock();
        if does {
            since.get_or_insert(Timestamp::now());
        } else if let Some(since) = since.take() {
            self.stalled_millis.fetch_add(millis_since(since), Ordering::Relaxed);
        }
    }
}

fn millis_since(then: Timestamp) -> u64 {
    u64::try_from(Timestamp::now().as_millisecond() - then.as_millisecond()).unwrap_or(0)
}

/// What a pass says on its way.
#[derive(Debug)]
pub(crate) enum News {
    /// Both mailboxes are open and their folders known.
    Validated,
    /// For the report.
    Entry(ReportEntry),
    /// Something that the pass met, and what met it.
    Met(Error, Lane),
}

/// Which of a mailbox's pairs of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The one without which there is no pass.
    First,
    /// One beside it.
    Further,
}

/// Listens to one pass.
pub(crate) struct UserProgress<'a> {
    pub(crate) tally: &'a Tally,
    pub(crate) news: mpsc::UnboundedSender<News>,
}

impl UserProgress<'_> {
    fn say(&self, text: String) {
        // Nobody listens any more only when the pass is over.
        let _unheard = self.news.send(News::Entry(ReportEntry { time: Timestamp::now(), text }));
    }

    fn met(&self, error: &Error, lane: Lane) {
        let _unheard = self.news.send(News::Met(error.clone(), lane));
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
                self.tally.stalls(false);
                self.tally
                    .listed
                    .store(folders.iter().map(|(_, messages)| messages).sum(), Ordering::Relaxed);
                let _unheard = self.news.send(News::Validated);
                match folders.len() as u64 {
                    0 => self.say("Nothing has changed since the last sync.".to_owned()),
                    many => {
                        self.say(format!("{} to look into.", text::count(many, "folder is", "folders are")));
                    }
                }
            }
            Event::Unmatched { option } => {
                self.say(format!("Warning: {}.", text::unmatched_of_batch(option)));
            }
            Event::Folder { folder, reason, messages, bytes } => {
                add(&self.tally.expected_bytes, bytes);
                let many = text::count(messages, "message", "messages");
                self.say(format!("Folder {folder}: {many}, {} to copy ({reason}).", text::bytes(bytes)));
            }
            Event::Arrived { messages, bytes, .. } => {
                self.tally.stalls(false);
                add(&self.tally.items, messages);
                add(&self.tally.bytes, bytes);
            }
            Event::FolderDone { folder, tally } => {
                self.say(format!(
                    "Folder {folder}: done: {} copied, {} already there, {} skipped.",
                    tally.copied,
                    tally.already,
                    tally.skipped.len()
                ));
                tally.notes().into_iter().for_each(|note| self.say(format!("Folder {folder}: {note}.")));
            }
            Event::Unchanged { .. } => {}
            Event::Skipped { folder, uid, reason } => {
                add(&self.tally.skipped, 1);
                self.say(format!("Folder {folder}: the message with UID {uid} was skipped: {reason}"));
            }
            Event::Repaired { folder, item } => self.say(text::repaired(folder, item)),
            Event::Waiting { folder, words } => {
                self.say(format!("Folder {folder}: {words} (Set-MigrationUser -ConfirmDeletions)."));
            }
            Event::Emptied { folder, is_removed } => {
                self.say(format!("{}.", text::emptied(folder, is_removed)));
            }
            Event::StaySubscribed { folders } => self.say(format!("{}.", text::stay_subscribed(folders))),
            Event::FolderFailed { folder, error } => self.say(format!("Folder {folder} was left: {error}")),
            Event::LaneEnded { error } => {
                self.met(error, Lane::Further);
                self.say(format!("{error}; trying again over another connection."));
            }
            Event::Retrying { error, after } => {
                self.met(error, Lane::First);
                self.tally.stalls(true);
                self.say(format!("{error}; trying again in {} s.", after.as_secs()));
            }
        }
    }
}
