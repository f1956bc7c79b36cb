//! The workers under way in this process: how they are told to end, and what they have done so far.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mailhaul_migration::{Guid, Statistics};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{forecast::Forecast, progress::Tally};

/// Why a worker is to end at the next end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The administrator stopped the user, or took it away.
    Stopped,
    /// Others need its place, or the service ends: another worker goes on.
    Preempted,
    /// Its lease is lost: whatever it did last does not count.
    LeaseLost,
}

/// All workers of this process; none where the service does not run in it. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Workers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    under_way: Mutex<HashMap<Guid, Worker>>,
    /// Something is to be looked at by the scheduler.
    nudged: Notify,
    /// A worker has ended.
    ended: Notify,
}

/// Who logs in at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) endpoint: Guid,
    /// The user's own name there; of an administrator who opens many mailboxes by one login, that.
    pub(crate) user_name: String,
}

/// What is known of one worker.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) batch: Guid,
    pub(crate) source: Login,
    /// None where mail goes to the archive.
    pub(crate) target: Option<Login>,
    /// Cancelled to end it.
    pub(crate) stop: CancellationToken,
    /// Why; the first reason counts.
    ending: Arc<Mutex<Option<Ending>>>,
    pub(crate) tally: Arc<Tally>,
}

impl Worker {
    pub(crate) fn new(batch: Guid, source: Login, target: Option<Login>, tally: Arc<Tally>) -> Self {
        Self { batch, source, target, stop: CancellationToken::new(), ending: Arc::default(), tally }
    }

    fn logins(&self) -> impl Iterator<Item = &Login> {
        [&self.source].into_iter().chain(&self.target)
    }

    /// Why it is to end; `None` where it is not.
    pub(crate) fn ending(&self) -> Option<Ending> {
        *self.ending.lock()
    }

    pub(crate) fn end(&self, why: Ending) {
        self.ending.lock().get_or_insert(why);
        self.stop.cancel();
    }
}

impl Workers {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Guid, Worker>) -> T) -> T {
        look(&mut self.0.under_way.lock())
    }

    /// Something has changed that the scheduler should look at now.
    pub(crate) fn nudge(&self) {
        self.0.nudged.notify_one();
    }

    /// Waits for a nudge, at most so long.
    pub(crate) async fn nudged_within(&self, patience: Duration) {
        let _late = tokio::time::timeout(patience, self.0.nudged.notified()).await;
    }

    pub(crate) fn begun(&self, user: Guid, worker: Worker) {
        self.with(|it| it.insert(user, worker));
    }

    pub(crate) fn ended(&self, user: Guid) {
        self.with(|it| it.remove(&user));
        self.0.ended.notify_waiters();
        self.nudge();
    }

    /// Ends the user's worker at its next end of a window, if there is one.
    pub(crate) fn end(&self, user: Guid, why: Ending) {
        if let Some(worker) = self.with(|it| it.get(&user).cloned()) {
            worker.end(why);
        }
    }

    /// Ends all workers of the batch.
    pub(crate) fn end_batch(&self, batch: Guid, why: Ending) {
        for (_, worker) in self.all().into_iter().filter(|(_, it)| it.batch == batch) {
            worker.end(why);
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<(Guid, Worker)> {
        self.with(|it| it.iter().map(|(user, worker)| (*user, worker.clone())).collect())
    }

    /// How many workers are at this endpoint, and how many of them by this login.
    pub(crate) fn at(&self, login: &Login) -> (usize, usize) {
        let count = |is_meant: &dyn Fn(&Login) -> bool| {
            self.with(|it| it.values().filter(|worker| worker.logins().any(is_meant)).count())
        };
        (count(&|it| it.endpoint == login.endpoint), count(&|it| it == login))
    }

    /// What the user's worker has done so far; `None` where nobody works.
    pub(crate) fn statistics(&self, user: Guid) -> Option<Statistics> {
        self.with(|it| it.get(&user).map(|worker| worker.tally.statistics()))
    }

    /// How long the pass of the user's worker will take, where a day's octets are limited.
    pub(crate) fn forecast(&self, user: Guid) -> Option<Forecast> {
        self.with(|it| it.get(&user).and_then(|worker| worker.tally.forecast()))
    }

    /// Waits until no worker is left, at most so long; true where none is.
    pub(crate) async fn all_ended_within(&self, patience: Duration) -> bool {
        let all_ended = async {
            loop {
                let ended = self.0.ended.notified();
                if self.with(|it| it.is_empty()) {
                    return;
                }
                ended.await;
            }
        };
        tokio::time::timeout(patience, all_ended).await.is_ok()
    }
}
