//! Recent changes in memory, numbered, for all streams of events.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mailhaul_migration::Guid;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

/// Number of changes that are kept for streams that begin again.
const MAX_KEPT: usize = 4096;
/// Maximum number of streams. Each keeps a connection of the service.
const MAX_STREAMS: usize = 128;

/// Object that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Noun of the cmdlets, such as `MigrationBatch`.
    pub(crate) noun: String,
    /// Name or GUID; `None` for many objects.
    pub(crate) identity: Option<String>,
    /// Batch of the object, if it is known.
    pub(crate) batch: Option<Guid>,
}

/// One numbered event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FeedEvent {
    Changed(Change),
    /// Entry of the audit log, as Get-MigrationAuditLog shows it. Only for administrators.
    Audit(Arc<Value>),
    /// New issue, as Get-MigrationIssue shows it.
    Issue(Arc<Value>),
    /// Changes that are not known one by one.
    Gap,
    /// A session ended: streams check if they may go on. Pages are not told.
    SessionEnded,
}

/// Numbers of one running pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ProgressRow {
    pub(crate) user: Guid,
    pub(crate) batch: Guid,
    pub(crate) synced: u64,
    pub(crate) skipped: u64,
    pub(crate) bytes: u64,
    pub(crate) total: u64,
    /// Bytes per second.
    pub(crate) rate: u64,
    /// Seconds until all known bytes are sent, at this rate.
    pub(crate) left: Option<u64>,
}

/// Events of this process. Clones share them.
#[derive(Clone)]
pub(crate) struct Feed(Arc<FeedShared>);

struct FeedShared {
    /// New with each start of the service.
    epoch: Guid,
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
    progress: watch::Sender<Arc<Vec<ProgressRow>>>,
    streams: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    /// Number of the newest event.
    newest: u64,
    events: VecDeque<(u64, FeedEvent)>,
}

/// Place of one stream, which it gives back when it is dropped.
pub(crate) struct StreamPlace(Feed);

impl Feed {
    pub(crate) fn new() -> Self {
        Self(Arc::new(FeedShared {
            epoch: Guid::new_v4(),
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
            progress: watch::Sender::new(Arc::default()),
            streams: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn epoch(&self) -> Guid {
        self.0.epoch
    }

    /// Adds an event, and wakes all streams.
    pub(crate) fn add(&self, event: FeedEvent) {
        let newest = {
            let mut kept = self.0.kept.lock();
            kept.newest += 1;
            let number = kept.newest;
            if kept.events.len() >= MAX_KEPT {
                kept.events.pop_front();
            }
            kept.events.push_back((number, event));
            number
        };
        self.0.newest.send_replace(newest);
    }

    /// Number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.0.kept.lock().newest
    }

    /// Returns the events after this number; `None` if some of them are no longer kept.
    pub(crate) fn after(&self, number: u64) -> Option<Vec<(u64, FeedEvent)>> {
        let kept = self.0.kept.lock();
        let missed = kept.newest.checked_sub(number)?;
        if missed > kept.events.len() as u64 {
            return None;
        }
        Some(kept.events.iter().filter(|(it, _)| *it > number).cloned().collect())
    }

    /// Receives the number of each new event.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    /// Receives the rows that changed in each second.
    pub(crate) fn watch_progress(&self) -> watch::Receiver<Arc<Vec<ProgressRow>>> {
        self.0.progress.subscribe()
    }

    pub(crate) fn send_progress(&self, rows: Vec<ProgressRow>) {
        self.0.progress.send_replace(Arc::new(rows));
    }

    /// Takes a place for a stream; `None` if there are too many.
    pub(crate) fn enter(&self) -> Option<StreamPlace> {
        let is_free = |count: usize| (count < MAX_STREAMS).then_some(count + 1);
        self.0.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_free).ok()?;
        Some(StreamPlace(self.clone()))
    }

    /// True if a stream is open.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.streams.load(Ordering::Relaxed) > 0
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(identity: usize) -> FeedEvent {
        let (noun, identity) = ("MigrationUser".to_owned(), Some(identity.to_string()));
        FeedEvent::Changed(Change { noun, identity, batch: None })
    }

    #[test]
    fn a_stream_gets_what_it_missed_or_is_told_of_a_gap() {
        let feed = Feed::new();
        assert_eq!(feed.after(0), Some(vec![]));
        feed.add(change(1));
        feed.add(change(2));
        assert_eq!(feed.after(1), Some(vec![(2, change(2))]));
        assert_eq!(feed.after(2), Some(vec![]));
        // A number of another service.
        assert_eq!(feed.after(3), None);
        for number in 3..=MAX_KEPT + 1 {
            feed.add(change(number));
        }
        assert_eq!(feed.after(0), None);
        assert_eq!(feed.after(1).unwrap().len(), MAX_KEPT);
    }

    #[test]
    fn the_number_of_streams_is_bounded() {
        let feed = Feed::new();
        let mut places: Vec<_> = (0..MAX_STREAMS).map(|_| feed.enter().unwrap()).collect();
        assert!(feed.enter().is_none());
        places.pop();
        assert!(feed.enter().is_some());
        drop(places);
        assert!(!feed.is_watched());
    }
}
