//! Active workers of this process: their end reasons and statistics.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailhaul_mail::Permit;
use mailhaul_migration::{Guid, Statistics};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{forecast::Forecast, progress::Tally};

/// Reason why a worker must end at the end of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The administrator stopped or removed the user.
    Stopped,
    /// Other users need its place, or the service ends. Another worker continues later.
    Preempted,
    /// Its lease is lost, or was not renewed in time. It is cut, and its last results do not count.
    LeaseLost,
}

/// All workers of this process; empty unless it is the service. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Workers(Arc<WorkersShared>);

#[derive(Default)]
struct WorkersShared {
    active: Mutex<HashMap<Guid, Worker>>,
    /// The scheduler must take a turn.
    nudged: Notify,
    /// A worker has ended.
    ended: Notify,
    /// Workers that ended since they were last counted.
    counted_last: Mutex<Vec<(Guid, Worker)>>,
    /// Other processes may have changed rows: the next turn reads them.
    must_look: AtomicBool,
    /// Pages watch: changed users are collected.
    is_watched: AtomicBool,
    /// Users whose status changed since the pages were last told, and their batches.
    touched: Mutex<HashMap<Guid, Guid>>,
}

/// Login at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndpointLogin {
    pub(crate) endpoint: Guid,
    /// User name, or the administrator's name if one login opens many mailboxes.
    pub(crate) user_name: String,
}

/// Handle of one worker. Clones share it.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) batch: Guid,
    pub(crate) source: EndpointLogin,
    /// `None` if the mail goes to the archive.
    pub(crate) target: Option<EndpointLogin>,
    /// Cancelled to end the worker. It opens no connection afterwards.
    pub(crate) stop: CancellationToken,
    /// The first reason counts.
    end_reason: Arc<Mutex<Option<EndReason>>>,
    pub(crate) tally: Arc<Tally>,
    /// Permit to write to the target, as long as the lease is held.
    pub(crate) permit: Permit,
    /// True if it only checks mailboxes.
    pub(crate) is_check: bool,
}

impl Worker {
    pub(crate) fn new(
        batch: Guid,
        source: EndpointLogin,
        target: Option<EndpointLogin>,
        before: Statistics,
        permit: Permit,
    ) -> Self {
        let (stop, tally) = (CancellationToken::new(), Arc::new(Tally::new(before)));
        Self { batch, source, target, stop, end_reason: Arc::default(), tally, permit, is_check: false }
    }

    fn logins(&self) -> impl Iterator<Item = &EndpointLogin> {
        [&self.source].into_iter().chain(&self.target)
    }

    /// Returns the reason if the worker must end.
    pub(crate) fn end_reason(&self) -> Option<EndReason> {
        *self.end_reason.lock()
    }

    pub(crate) fn end(&self, reason: EndReason) {
        if reason == EndReason::LeaseLost {
            self.permit.end();
        }
        self.end_reason.lock().get_or_insert(reason);
        self.stop.cancel();
    }
}

impl Workers {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Guid, Worker>) -> T) -> T {
        look(&mut self.0.active.lock())
    }

    /// Wakes the scheduler.
    pub(crate) fn nudge(&self) {
        self.0.nudged.notify_one();
    }

    /// Lets the next turn compare the workers with the rows of the database.
    pub(crate) fn must_look(&self) {
        self.0.must_look.store(true, Ordering::Relaxed);
    }

    /// Returns if rows must be compared, and forgets it.
    pub(crate) fn take_must_look(&self) -> bool {
        self.0.must_look.swap(false, Ordering::Relaxed)
    }

    /// Waits until the scheduler must take a turn, at most for the timeout.
    pub(crate) async fn nudged_within(&self, timeout: Duration) {
        // After the timeout the scheduler takes a turn too.
        _ = tokio::time::timeout(timeout, self.0.nudged.notified()).await;
    }

    pub(crate) fn started(&self, user: Guid, worker: Worker) {
        self.touch(user, worker.batch);
        self.with(|it| it.insert(user, worker));
    }

    pub(crate) fn ended(&self, user: Guid) {
        if let Some(worker) = self.with(|it| it.remove(&user)) {
            self.touch(user, worker.batch);
            self.0.counted_last.lock().push((user, worker));
        }
        self.0.ended.notify_waiters();
        self.nudge();
    }

    /// Returns the workers that ended since the last call, for a last look at their numbers.
    pub(crate) fn take_ended(&self) -> Vec<(Guid, Worker)> {
        std::mem::take(&mut *self.0.counted_last.lock())
    }

    /// Collects users whose status changes, or forgets them.
    pub(crate) fn set_watched(&self, is_watched: bool) {
        self.0.is_watched.store(is_watched, Ordering::Relaxed);
        if !is_watched {
            self.0.touched.lock().clear();
        }
    }

    /// Notes that the status of a user changed, for the pages that watch.
    pub(crate) fn touch(&self, user: Guid, batch: Guid) {
        if self.0.is_watched.load(Ordering::Relaxed) {
            self.0.touched.lock().insert(user, batch);
        }
    }

    /// Returns the users whose status changed since the last call, with their batches.
    pub(crate) fn take_touched(&self) -> Vec<(Guid, Guid)> {
        self.0.touched.lock().drain().collect()
    }

    /// Ends the user's worker at the end of its window, if there is one.
    pub(crate) fn end(&self, user: Guid, reason: EndReason) {
        if let Some(worker) = self.with(|it| it.get(&user).cloned()) {
            worker.end(reason);
        }
    }

    /// Ends all workers.
    pub(crate) fn end_all(&self, reason: EndReason) {
        for (_, worker) in self.all() {
            worker.end(reason);
        }
    }

    /// Endpoints at which workers are active.
    pub(crate) fn endpoints(&self) -> HashSet<Guid> {
        self.with(|it| it.values().flat_map(Worker::logins).map(|login| login.endpoint).collect())
    }

    /// Number of workers.
    pub(crate) fn count(&self) -> u64 {
        self.with(|it| it.len() as u64)
    }

    /// Ends all workers of the batch.
    pub(crate) fn end_batch(&self, batch: Guid, reason: EndReason) {
        for (_, worker) in self.all().into_iter().filter(|(_, it)| it.batch == batch) {
            worker.end(reason);
        }
    }

    pub(crate) fn all(&self) -> Vec<(Guid, Worker)> {
        self.with(|it| it.iter().map(|(user, worker)| (*user, worker.clone())).collect())
    }

    /// Number of workers at this endpoint, and of those with this login.
    pub(crate) fn at(&self, login: &EndpointLogin) -> (usize, usize) {
        let count = |is_meant: &dyn Fn(&EndpointLogin) -> bool| {
            self.with(|it| it.values().filter(|worker| worker.logins().any(is_meant)).count())
        };
        (count(&|it| it.endpoint == login.endpoint), count(&|it| it == login))
    }

    /// Current statistics of the user; `None` if it has no worker.
    pub(crate) fn statistics(&self, user: Guid) -> Option<Statistics> {
        self.with(|it| it.get(&user).map(|worker| worker.tally.statistics()))
    }

    /// Forecast of the user's pass, if bytes per day are limited.
    pub(crate) fn forecast(&self, user: Guid) -> Option<Forecast> {
        self.with(|it| it.get(&user).and_then(|worker| worker.tally.forecast()))
    }

    /// Waits until all workers have ended; false after the timeout.
    pub(crate) async fn all_ended_within(&self, timeout: Duration) -> bool {
        let all_ended = async {
            loop {
                let ended = self.0.ended.notified();
                if self.with(|it| it.is_empty()) {
                    return;
                }
                ended.await;
            }
        };
        tokio::time::timeout(timeout, all_ended).await.is_ok()
    }
}
