//! Who gets a worker, and when: the one loop of the service. Passes go before checks.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Place, Places, Usage};
use mailhaul_migration::{Endpoint, Guid, Limit, MigrationUser};
use mailhaul_store::{CheckClaim, Claim, Heartbeat, PassKind, ServiceLock, StoreError};
use tokio_util::sync::CancellationToken;

use super::{
    worker::tally,
    workers::{Ending, Login, Worker},
    workplace::Workplace,
};
use crate::one_pass::SystemClock;

/// How long a lease holds without a sign of life.
const LEASE: Duration = Duration::from_mins(1);
/// From one sign of life to the next; also how long a change of the clock goes unnoticed.
const BEAT: Duration = Duration::from_secs(10);
/// So long a check may take before it is taken for dead.
const CHECK: Duration = Duration::from_mins(5);
/// Grace period for workers at shutdown; after it, they are cut, and their users are due at once.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Runs workers for one data directory.
pub(crate) struct Scheduler {
    place: Workplace,
    owner: Guid,
    /// For each endpoint that mail comes from.
    places: HashMap<Guid, Places>,
    leases: HashMap<Guid, mailhaul_store::Lease>,
}

impl Scheduler {
    /// For this directory, of which nobody else may be the service.
    pub(crate) fn new(place: Workplace, lock: &ServiceLock) -> Self {
        Self { place, owner: lock.owner(), places: HashMap::new(), leases: HashMap::new() }
    }

    /// Runs until it is told to stop; then workers end at the end of their window.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.turn().await {
                // A full disk, for example: what runs goes on as long as it can.
                tracing::error!("{error}");
            }
            let wait = self.patience().await;
            tokio::select! {
                () = self.place.workers.nudged_within(wait) => {}
                () = stop.cancelled() => break,
            }
        }
        for (_, worker) in self.place.workers.all() {
            worker.end(Ending::Preempted);
        }
        if !self.place.workers.all_ended_within(SHUTDOWN_GRACE).await {
            tracing::warn!("some workers did not end in time; they go on when the service starts again");
            // Otherwise the next process would take this one for crashed at them.
            if let Err(error) = self.place.store.give_back(Timestamp::now(), self.owner).await {
                tracing::warn!("the leases of these workers are not given back: {error}");
            }
        }
    }

    async fn patience(&self) -> Duration {
        let now = Timestamp::now();
        match self.place.store.next_due(now).await {
            Ok(Some(due)) => {
                let millis = u64::try_from(due.as_millisecond() - now.as_millisecond()).unwrap_or(0);
                BEAT.min(Duration::from_millis(millis + 1))
            }
            _ => BEAT,
        }
    }

    async fn turn(&mut self) -> Result<(), StoreError> {
        let store = self.place.store.clone();
        let now = Timestamp::now();
        self.beat(now).await?;
        store.recover(now, self.owner).await?;
        store.complete_due(now).await?;
        let config = store.config().await?;
        let endpoints = store.endpoints().await?;
        self.place.gates.keep(&endpoints);
        for endpoint in &endpoints {
            self.tend(endpoint).await?;
            self.give_back_what_is_too_much(endpoint, now);
        }
        let parked: HashSet<Guid> = store.parked(now).await?.into_iter().map(|(guid, _)| guid).collect();
        let running = store.running().await?;
        let mut at_target: HashMap<Guid, u64> = HashMap::new();
        for it in &running {
            if let Some(target) = it.target_endpoint {
                *at_target.entry(target).or_default() += it.users;
            }
        }
        let checks = store.checks_under_way(now).await?;
        for it in &checks {
            if let Some(target) = it.target_endpoint {
                *at_target.entry(target).or_default() += it.users;
            }
        }
        let mut all: u64 =
            running.iter().map(|it| it.users).sum::<u64>() + checks.iter().map(|it| it.users).sum::<u64>();
        for endpoint in endpoints.iter().filter(|it| !parked.contains(&it.guid)) {
            let later = |kind: PassKind| kind != PassKind::First;
            let mut incremental: u64 = running
                .iter()
                .filter(|it| it.source_endpoint == endpoint.guid && later(it.kind))
                .map(|it| it.users)
                .sum();
            for kind in [PassKind::Final, PassKind::Incremental, PassKind::First] {
                for target in store.waiting_targets(endpoint.guid, kind, now).await? {
                    if target.is_some_and(|it| parked.contains(&it)) {
                        continue;
                    }
                    let mut most = left(config.max_concurrent_migrations, all);
                    if later(kind) {
                        most = most.min(left(endpoint.max_concurrent_incremental_syncs, incremental));
                    }
                    most = most.min(self.left_at(&endpoints, target, &at_target, now));
                    let begun = self.begin(endpoint, target, kind, most, now).await?;
                    all += begun;
                    incremental += if later(kind) { begun } else { 0 };
                    if let Some(target) = target {
                        *at_target.entry(target).or_default() += begun;
                    }
                }
            }
            // Nobody's mail waits for a check; and where all places are taken, many may wait whom a pass will check.
            if self.free(endpoint, now) == 0 {
                continue;
            }
            for target in store.targets_to_check(endpoint.guid, now).await? {
                if target.is_some_and(|it| parked.contains(&it)) {
                    continue;
                }
                let most = left(config.max_concurrent_migrations, all)
                    .min(self.left_at(&endpoints, target, &at_target, now));
                let begun = self.check(endpoint, target, most, now).await?;
                all += begun;
                if let Some(target) = target {
                    *at_target.entry(target).or_default() += begun;
                }
            }
        }
        Ok(())
    }

    /// Signs of life for all leases; a worker whose lease is lost ends.
    async fn beat(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let under_way = self.place.workers.all();
        let present: HashMap<Guid, &Worker> = under_way.iter().map(|(user, it)| (*user, it)).collect();
        self.leases.retain(|user, _| present.contains_key(user));
        let beats = self.leases.iter().map(|(user, lease)| Heartbeat {
            lease: *lease,
            until: now.checked_add(LEASE).unwrap_or(Timestamp::MAX),
            statistics: present.get(user).map(|it| it.tally.statistics()),
        });
        let lost = self.place.store.heartbeats(beats.collect()).await?;
        for lease in lost {
            self.place.workers.end(lease.user, Ending::LeaseLost);
        }
        Ok(())
    }

    /// Its rates count from now on.
    async fn tend(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let now = SystemClock.now();
        let used = if self.place.gates.know(endpoint.guid) {
            Usage::default()
        } else {
            let hours = self.place.store.usage(endpoint.guid, None, Usage::first_hour(now)).await?;
            hours.into_iter().collect()
        };
        self.place.gates.tend(endpoint, used, now);
        Ok(())
    }

    fn places(&mut self, endpoint: &Endpoint, now: Timestamp) -> Places {
        let most = most(endpoint).min(self.place.gates.most_mailboxes(endpoint.guid, now));
        let places = self.places.entry(endpoint.guid).or_insert_with(|| Places::new(most));
        places.resize(most);
        places.clone()
    }

    /// When a limit was lowered, workers end at the end of their window, and their users wait again.
    /// What its server refuses comes back by itself.
    fn give_back_what_is_too_much(&mut self, endpoint: &Endpoint, now: Timestamp) {
        let excess = self.places(endpoint, now).taken().saturating_sub(most(endpoint));
        let here = |it: &(Guid, Worker)| it.1.source.endpoint == endpoint.guid;
        let workers: Vec<_> = self.place.workers.all().into_iter().filter(here).collect();
        // Those that were told already give their places back soon.
        let ending = workers.iter().filter(|(_, it)| it.ending().is_some()).count();
        let going_on = workers.iter().filter(|(_, it)| it.ending().is_none());
        for (_, worker) in going_on.take(excess.saturating_sub(ending)) {
            worker.end(Ending::Preempted);
        }
    }

    /// Places that are left at the target, where so many are taken.
    fn left_at(
        &self,
        endpoints: &[Endpoint],
        target: Option<Guid>,
        taken: &HashMap<Guid, u64>,
        now: Timestamp,
    ) -> u64 {
        let Some(there) = endpoints.iter().find(|it| Some(it.guid) == target) else { return u64::MAX };
        let taken = taken.get(&there.guid).copied().unwrap_or_default();
        let learned = self.place.gates.most_mailboxes(there.guid, now) as u64;
        left(there.max_concurrent_migrations, taken).min(learned.saturating_sub(taken))
    }

    /// Places that are left at the source.
    fn free(&mut self, endpoint: &Endpoint, now: Timestamp) -> usize {
        let most = most(endpoint).min(self.place.gates.most_mailboxes(endpoint.guid, now));
        most.saturating_sub(self.places(endpoint, now).taken())
    }

    /// So many places at most, as far as there are any.
    fn take(&mut self, endpoint: &Endpoint, most: u64, now: Timestamp) -> (Places, Vec<Place>) {
        let places = self.places(endpoint, now);
        let mut taken = Vec::new();
        while (taken.len() as u64) < most.min(1000)
            && let Some(place) = places.spare()
        {
            taken.push(place);
        }
        (places, taken)
    }

    /// Begins to check so many users at most, as far as there are places; gives how many.
    async fn check(
        &mut self,
        endpoint: &Endpoint,
        target: Option<Guid>,
        most: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (_, taken) = self.take(endpoint, most, now);
        if taken.is_empty() {
            return Ok(0);
        }
        let claim = CheckClaim {
            now,
            until: now.checked_add(CHECK).unwrap_or(Timestamp::MAX),
            source_endpoint: endpoint.guid,
            target_endpoint: target,
            limit: u32::try_from(taken.len()).unwrap_or(u32::MAX),
        };
        let claimed = self.place.store.claim_checks(claim).await?;
        let begun = claimed.len() as u64;
        for (it, place) in claimed.into_iter().zip(taken) {
            let worker = worker(&it.user, endpoint.guid, target);
            self.place.workers.begun(it.user.guid, worker.clone());
            tokio::spawn(self.place.clone().check(it, worker, place));
        }
        Ok(begun)
    }

    /// Begins with so many users at most, as far as there are places; gives how many.
    async fn begin(
        &mut self,
        endpoint: &Endpoint,
        target: Option<Guid>,
        kind: PassKind,
        most: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (places, taken) = self.take(endpoint, most, now);
        if taken.is_empty() {
            return Ok(0);
        }
        let claim = Claim {
            now,
            owner: self.owner,
            until: now.checked_add(LEASE).unwrap_or(Timestamp::MAX),
            source_endpoint: endpoint.guid,
            target_endpoint: target,
            kinds: vec![kind],
            limit: u32::try_from(taken.len()).unwrap_or(u32::MAX),
        };
        let claimed = self.place.store.claim(claim).await?;
        let begun = claimed.len() as u64;
        for (it, place) in claimed.into_iter().zip(taken) {
            let worker = worker(&it.user, endpoint.guid, target);
            self.place.workers.begun(it.user.guid, worker.clone());
            self.leases.insert(it.user.guid, it.lease);
            tokio::spawn(self.place.clone().work(it, worker, places.clone(), place));
        }
        Ok(begun)
    }
}

/// Somebody who works at this user.
fn worker(user: &MigrationUser, source: Guid, target: Option<Guid>) -> Worker {
    let source = Login { endpoint: source, user_name: user.user_name.clone() };
    let login = |endpoint| Login { endpoint, user_name: user.target_user_name.clone() };
    Worker::new(user.batch, source, target.map(login), tally(user))
}

fn most(endpoint: &Endpoint) -> usize {
    match endpoint.max_concurrent_migrations {
        Limit::At(most) => usize::try_from(most).unwrap_or(usize::MAX),
        Limit::Unlimited => usize::MAX,
    }
}

fn left(limit: Limit, taken: u64) -> u64 {
    match limit {
        Limit::At(most) => u64::from(most).saturating_sub(taken),
        Limit::Unlimited => u64::MAX,
    }
}
