//! Who gets a worker, and when: the one loop of the service. Passes go before checks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Place, Places, Usage};
use mailhaul_migration::{Endpoint, Guid, Limit, MigrationUser};
use mailhaul_store::{CheckClaim, Claim, Heartbeat, ServiceLock, StoreError, WaitingPasses};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    check,
    load::{Load, left},
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
    /// All endpoints, and the number of changes after which they were read.
    endpoints: (Arc<[Endpoint]>, Option<u64>),
    /// The clock at the last turn: one that went back since is noticed. `None` before the first turn.
    last_turn: Option<Timestamp>,
    /// When signs of life were given last.
    last_beat: Option<Instant>,
}

impl Scheduler {
    /// For this directory, of which nobody else may be the service.
    pub(crate) fn new(place: Workplace, lock: &ServiceLock) -> Self {
        Self {
            place,
            owner: lock.owner(),
            places: HashMap::new(),
            leases: HashMap::new(),
            endpoints: (Arc::default(), None),
            last_turn: None,
            last_beat: None,
        }
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

    /// Looks at everything once. The number of queries does not depend on the number of endpoints.
    pub(super) async fn turn(&mut self) -> Result<(), StoreError> {
        let store = self.place.store.clone();
        let now = Timestamp::now();
        if self.last_turn.is_none_or(|last| now < last) {
            store.bring_times_back(now, check::LONGEST_WAIT).await?;
        }
        self.last_turn = Some(now);
        if self.last_beat.is_none_or(|last| last.elapsed() >= BEAT) {
            self.beat(now).await?;
            store.recover(now, self.owner).await?;
            self.last_beat = Some(Instant::now());
            // Another process may have changed one.
            self.endpoints.1 = None;
            store.give_back_space().await?;
        }
        store.complete_due(now).await?;
        let endpoints = self.endpoints().await?;
        for endpoint in endpoints.iter() {
            self.give_back_what_is_too_much(endpoint, now);
        }
        self.fill_places(&endpoints, now).await
    }

    /// All endpoints, read again after a change: their rates count from then on.
    async fn endpoints(&mut self) -> Result<Arc<[Endpoint]>, StoreError> {
        let changes = self.place.store.endpoint_changes();
        if self.endpoints.1 != Some(changes) {
            let endpoints: Arc<[Endpoint]> = self.place.store.endpoints().await?.into();
            self.place.gates.keep(&endpoints);
            for endpoint in endpoints.iter() {
                self.tend(endpoint).await?;
            }
            self.endpoints = (endpoints, Some(changes));
        }
        Ok(self.endpoints.0.clone())
    }

    /// Begins passes and checks, as far as there are places.
    async fn fill_places(&mut self, endpoints: &[Endpoint], now: Timestamp) -> Result<(), StoreError> {
        let store = self.place.store.clone();
        let config = store.config().await?;
        let parked: HashSet<Guid> = store.parked(now).await?.into_iter().map(|(guid, _)| guid).collect();
        let open: HashMap<Guid, &Endpoint> = endpoints
            .iter()
            .filter(|endpoint| !parked.contains(&endpoint.guid))
            .map(|endpoint| (endpoint.guid, endpoint))
            .collect();
        let mut load = Load::new(&store.running().await?, &store.checks_under_way(now).await?);
        let mut waiting = store.waiting(now).await?;
        waiting.sort_by_key(|waiting| waiting.kind);
        for pass in waiting {
            let Some((source, target)) = ends(&open, pass.source_endpoint, pass.target_endpoint) else {
                continue;
            };
            let most = load.left(&config).min(load.left_for(pass.kind, source));
            let most = most.min(self.left_at(target, &load, now));
            let begun = self.begin(source, pass, most, now).await?;
            load.add_passes(pass, begun);
        }
        for (source, target) in store.waiting_checks(now).await? {
            let Some((source, target)) = ends(&open, source, target) else { continue };
            // Passes go before checks; and where all places are taken, a pass will check many of those who wait.
            if self.free(source, now) == 0 {
                continue;
            }
            let most = load.left(&config).min(self.left_at(target, &load, now));
            let target = target.map(|target| target.guid);
            let begun = self.check(source, target, most, now).await?;
            load.add_checks(target, begun);
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
        if excess == 0 {
            return;
        }
        let here = |it: &(Guid, Worker)| it.1.source.endpoint == endpoint.guid;
        let workers: Vec<_> = self.place.workers.all().into_iter().filter(here).collect();
        // Those that were told already give their places back soon.
        let ending = workers.iter().filter(|(_, it)| it.ending().is_some()).count();
        let going_on = workers.iter().filter(|(_, it)| it.ending().is_none());
        for (_, worker) in going_on.take(excess.saturating_sub(ending)) {
            worker.end(Ending::Preempted);
        }
    }

    /// Places that are left at the target; no limit holds for the archive.
    fn left_at(&self, target: Option<&Endpoint>, load: &Load, now: Timestamp) -> u64 {
        let Some(target) = target else { return u64::MAX };
        let taken = load.at_target(target.guid);
        let learned = self.place.gates.most_mailboxes(target.guid, now) as u64;
        left(target.max_concurrent_migrations, taken).min(learned.saturating_sub(taken))
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
        pass: WaitingPasses,
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
            target_endpoint: pass.target_endpoint,
            kinds: vec![pass.kind],
            limit: u32::try_from(taken.len()).unwrap_or(u32::MAX),
        };
        let claimed = self.place.store.claim(claim).await?;
        let begun = claimed.len() as u64;
        for (it, place) in claimed.into_iter().zip(taken) {
            let worker = worker(&it.user, endpoint.guid, pass.target_endpoint);
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

/// Both ends, where both are open to more mailboxes. The inner `None` is the archive.
fn ends<'e>(
    open: &HashMap<Guid, &'e Endpoint>,
    source: Guid,
    target: Option<Guid>,
) -> Option<(&'e Endpoint, Option<&'e Endpoint>)> {
    let source = open.get(&source)?;
    match target {
        Some(target) => Some((source, Some(open.get(&target)?))),
        None => Some((source, None)),
    }
}
