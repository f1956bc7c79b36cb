//! Work of the last ten minutes by the second, and of minutes that are not saved yet. In memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use mailhaul_migration::Guid;
use mailhaul_store::Work;
use parking_lot::Mutex;

/// Seconds for which work is known by the second.
pub(crate) const KEPT_SECONDS: i64 = 600;

/// Numbers of a worker at a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerNumbers {
    pub(crate) user: Guid,
    pub(crate) batch: Guid,
    pub(crate) source: Guid,
    /// `None` is the archive.
    pub(crate) target: Option<Guid>,
    /// Bytes and messages of this pass.
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    /// True if the worker has ended since the last look.
    pub(crate) has_ended: bool,
}

impl WorkerNumbers {
    fn owners(&self) -> impl Iterator<Item = Guid> {
        [self.batch, self.source].into_iter().chain(self.target)
    }
}

/// Work of this process. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Throughput(Arc<Mutex<Tracks>>);

#[derive(Default)]
struct Tracks {
    /// Bytes and messages of each running pass at the last look.
    seen: HashMap<Guid, (u64, u64)>,
    last_look: Option<i64>,
    seconds: HashMap<Guid, VecDeque<(i64, Work)>>,
    /// Work of minutes that is not in the database, by the owner and the first second of the minute.
    unsaved: HashMap<(Guid, i64), Work>,
}

impl Throughput {
    /// Adds what the workers did since the last look. `second` is the time of this look.
    pub(crate) fn look(&self, workers: &[WorkerNumbers], second: i64) {
        self.0.lock().look(workers, second);
    }

    /// Work of a batch or endpoint by the second.
    pub(crate) fn seconds(&self, owner: Guid) -> Vec<(i64, Work)> {
        self.0.lock().seconds.get(&owner).map(|seconds| seconds.iter().copied().collect()).unwrap_or_default()
    }

    /// Work of a batch or endpoint that is not saved, by the minute.
    pub(crate) fn unsaved(&self, owner: Guid) -> Vec<(i64, Work)> {
        let tracks = self.0.lock();
        let of_owner = tracks.unsaved.iter().filter(|((of, _), _)| *of == owner);
        of_owner.map(|((_, minute), work)| (*minute, *work)).collect()
    }

    /// Takes the unsaved work of the minutes before this second.
    pub(crate) fn take_unsaved(&self, before: i64) -> Vec<(Guid, i64, Work)> {
        let mut tracks = self.0.lock();
        let taken = tracks.unsaved.extract_if(|(_, minute), _| *minute < before);
        taken.map(|((owner, minute), work)| (owner, minute, work)).collect()
    }

    /// Bytes per second of a batch or endpoint in this process, over the last seconds.
    pub(crate) fn rate(&self, owner: Guid, now: i64, seconds: i64) -> Work {
        let mut sum = Work::default();
        for (_, work) in
            self.seconds(owner).iter().filter(|(second, _)| (now - seconds..now).contains(second))
        {
            sum.add(*work);
        }
        let each = |all: u64| all / seconds.max(1).unsigned_abs();
        Work { bytes: each(sum.bytes), messages: each(sum.messages), busy_seconds: each(sum.busy_seconds) }
    }
}

impl Tracks {
    fn look(&mut self, workers: &[WorkerNumbers], second: i64) {
        // After a pause of this process, its passes ran at most for a minute of it.
        let elapsed = self.last_look.map_or(1, |last| (second - last).clamp(0, 60)).unsigned_abs();
        self.last_look = Some(second);
        let mut seen = HashMap::with_capacity(workers.len());
        let mut done: HashMap<Guid, Work> = HashMap::new();
        // A user can end and begin again between two looks. Then its ended worker is counted first.
        let (ended, running): (Vec<&WorkerNumbers>, Vec<&WorkerNumbers>) =
            workers.iter().partition(|worker| worker.has_ended);
        for worker in ended.into_iter().chain(running) {
            let before = self.seen.remove(&worker.user).unwrap_or_default();
            let more = Work {
                bytes: worker.bytes.saturating_sub(before.0),
                messages: worker.messages.saturating_sub(before.1),
                busy_seconds: if worker.has_ended { 0 } else { elapsed },
            };
            if !worker.has_ended {
                seen.insert(worker.user, (worker.bytes, worker.messages));
            }
            for owner in worker.owners() {
                done.entry(owner).or_default().add(more);
            }
        }
        self.seen = seen;
        let minute = second - second.rem_euclid(60);
        for (owner, work) in done.into_iter().filter(|(_, work)| !work.is_none()) {
            self.seconds.entry(owner).or_default().push_back((second, work));
            self.unsaved.entry((owner, minute)).or_default().add(work);
        }
        self.seconds.retain(|_, seconds| {
            while seconds.front().is_some_and(|(first, _)| *first <= second - KEPT_SECONDS) {
                seconds.pop_front();
            }
            !seconds.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Guid = Guid::from_u128(1);
    const OLD: Guid = Guid::from_u128(2);
    const NEW: Guid = Guid::from_u128(3);

    fn worker(user: u128, bytes: u64) -> WorkerNumbers {
        WorkerNumbers {
            user: Guid::from_u128(user),
            batch: BATCH,
            source: OLD,
            target: Some(NEW),
            bytes,
            messages: bytes / 10,
            has_ended: false,
        }
    }

    fn ended(user: u128, bytes: u64) -> WorkerNumbers {
        WorkerNumbers { has_ended: true, ..worker(user, bytes) }
    }

    fn work(bytes: u64, messages: u64, busy_seconds: u64) -> Work {
        Work { bytes, messages, busy_seconds }
    }

    #[test]
    fn each_look_counts_what_is_new() {
        let throughput = Throughput::default();
        throughput.look(&[worker(7, 100), worker(8, 50)], 60);
        throughput.look(&[worker(7, 130), worker(8, 50)], 61);
        throughput.look(&[worker(7, 130)], 62);
        let expected = [(60, work(150, 15, 2)), (61, work(30, 3, 2)), (62, work(0, 0, 1))];
        for owner in [BATCH, OLD, NEW] {
            assert_eq!(throughput.seconds(owner), expected);
        }
        assert_eq!(throughput.unsaved(BATCH), [(60, work(180, 18, 5))]);
        assert_eq!(throughput.rate(BATCH, 62, 2).bytes, 90);
    }

    #[test]
    fn the_end_of_a_pass_and_its_next_one_are_counted() {
        let throughput = Throughput::default();
        throughput.look(&[worker(7, 100)], 60);
        // It sent 20 more bytes, ended, began again, and sent 500.
        throughput.look(&[worker(7, 500), ended(7, 120)], 61);
        throughput.look(&[ended(7, 510)], 62);
        throughput.look(&[], 63);
        let expected = [(60, work(100, 10, 1)), (61, work(520, 52, 1)), (62, work(10, 1, 0))];
        assert_eq!(throughput.seconds(BATCH), expected);
    }

    #[test]
    fn seconds_are_forgotten_and_minutes_stay_until_saved() {
        let throughput = Throughput::default();
        throughput.look(&[worker(7, 100)], 59);
        throughput.look(&[worker(7, 110)], 60);
        throughput.look(&[ended(7, 110)], 59 + KEPT_SECONDS);
        assert_eq!(throughput.seconds(BATCH), [(60, work(10, 1, 1))]);
        throughput.look(&[], 61 + KEPT_SECONDS);
        assert_eq!(throughput.seconds(BATCH), []);
        let mut saved = throughput.take_unsaved(60);
        saved.sort_by_key(|(owner, ..)| *owner);
        let first = work(100, 10, 1);
        assert_eq!(saved, [(BATCH, 0, first), (OLD, 0, first), (NEW, 0, first)]);
        assert_eq!(throughput.unsaved(OLD), [(60, work(10, 1, 1))]);
        // A clock that was set back, or a process that was stopped for an hour.
        throughput.look(&[worker(7, 1)], 30);
        throughput.look(&[worker(7, 1)], 3630);
        assert_eq!(throughput.unsaved(BATCH).iter().map(|(_, work)| work.busy_seconds).max(), Some(60));
    }
}
