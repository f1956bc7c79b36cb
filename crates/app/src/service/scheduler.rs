//! The loop of the service: starts passes and checks of users. Passes go before checks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Slot, Slots, Usage};
use mailhaul_mail::Permit;
use mailhaul_migration::{Endpoint, Guid, Limit, MigrationUser};
use mailhaul_store::{CheckClaim, Claim, Heartbeat, ServiceLock, StoreError, WaitingPasses};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    admission::{Admission, OpenEndpoint, Start},
    check,
    service_context::ServiceContext,
    worker::{job::WorkerJob, run_job},
    workers::{EndReason, EndpointLogin, Worker},
};
use crate::one_pass::SystemClock;

/// Lifetime of a lease without a heartbeat.
const LEASE_TIME: Duration = Duration::from_mins(1);
/// Time after a heartbeat was sent for which a worker may write to its target.
///
/// Shorter than the lease: data that the system holds by then is gone before another worker can take over.
const PERMIT_TIME: Duration = Duration::from_secs(40);
/// Time for which the system keeps data that a target does not take: less than from the permit's end to the lease's.
const UNSENT_DATA_LIFETIME: Duration = Duration::from_secs(15);
/// Time between heartbeats. A change of the clock is noticed within this time.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// Time after which a check without a result may start again.
const CHECK_TIMEOUT: Duration = Duration::from_mins(5);
/// Grace period for workers at shutdown. After it they are cut, and their users are due at once.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// Maximum number of users that one pair of endpoints starts in a turn.
const MAX_STARTS: u64 = 1000;

/// Runs workers for one data directory.
pub(crate) struct Scheduler {
    context: ServiceContext,
    owner: Guid,
    /// Connection slots of each source endpoint.
    places: HashMap<Guid, Slots>,
    leases: HashMap<Guid, mailhaul_store::Lease>,
    endpoints: Arc<[Endpoint]>,
    /// Number of endpoint changes before `endpoints` was read; `None` if it must be read again.
    endpoint_changes: Option<u64>,
    /// Time of the last turn: a clock that went back since is noticed.
    last_turn: Option<Timestamp>,
    last_heartbeat: Option<Instant>,
    /// Time of the permits' clock before the last renewal.
    renewed: Duration,
}

impl Scheduler {
    /// Takes the lock as proof that no other process is the service of this data directory.
    pub(crate) fn new(context: ServiceContext, lock: &ServiceLock) -> Self {
        Self {
            context,
            owner: lock.owner(),
            places: HashMap::new(),
            leases: HashMap::new(),
            endpoints: Arc::default(),
            endpoint_changes: None,
            last_turn: None,
            last_heartbeat: None,
            renewed: Duration::ZERO,
        }
    }

    /// Runs until `stop` is cancelled. Then workers end at the end of their window.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.turn().await {
                // For example a full disk. Running workers continue as long as they can.
                tracing::error!("{error}");
                if matches!(error, StoreError::ServiceRuns { .. }) {
                    // Its users are claimed by the other service now.
                    return self.context.workers.all().into_iter().for_each(|(_, worker)| {
                        worker.end(EndReason::LeaseLost);
                    });
                }
            }
            let wait = self.time_until_next_turn().await;
            tokio::select! {
                () = self.context.workers.nudged_within(wait) => {}
                () = stop.cancelled() => break,
            }
        }
        for (_, worker) in self.context.workers.all() {
            worker.end(EndReason::Preempted);
        }
        if !self.context.workers.all_ended_within(SHUTDOWN_GRACE).await {
            tracing::warn!("some workers did not end in time; they continue when the service starts again");
            // Without this the next process would take these users for the cause of a crash.
            if let Err(error) = self.context.store.give_back(Timestamp::now(), self.owner).await {
                tracing::warn!("the leases of these workers were not given back: {error}");
            }
        }
    }

    async fn time_until_next_turn(&self) -> Duration {
        let now = Timestamp::now();
        match self.context.store.next_due(now).await {
            Ok(Some(due)) => {
                let millis = u64::try_from(due.as_millisecond() - now.as_millisecond()).unwrap_or(0);
                HEARTBEAT_INTERVAL.min(Duration::from_millis(millis + 1))
            }
            _ => HEARTBEAT_INTERVAL,
        }
    }

    /// Does everything that is due. The number of queries does not depend on the number of endpoints, and
    /// their cost not on the number of users that are not due.
    pub(super) async fn turn(&mut self) -> Result<(), StoreError> {
        let store = self.context.store.clone();
        let now = Timestamp::now();
        if self.last_turn.is_none_or(|last| now < last) {
            store.bring_times_back(now, check::LONGEST_WAIT).await?;
        }
        self.last_turn = Some(now);
        if self.last_heartbeat.is_none_or(|last| last.elapsed() >= HEARTBEAT_INTERVAL) {
            self.send_heartbeats(now).await?;
            store.recover(now, self.owner).await?;
            self.last_heartbeat = Some(Instant::now());
            // Another process may have changed an endpoint.
            self.endpoint_changes = None;
            store.give_back_space().await?;
        }
        store.complete_due(now).await?;
        self.read_endpoints().await?;
        let endpoints = self.endpoints.clone();
        for endpoint in endpoints.iter() {
            self.end_excess_workers(endpoint, now);
        }
        self.start_users(&endpoints, now).await
    }

    /// Reads all endpoints after a change, and applies their rates.
    async fn read_endpoints(&mut self) -> Result<(), StoreError> {
        let changes = self.context.store.endpoint_changes();
        if self.endpoint_changes != Some(changes) {
            let endpoints: Arc<[Endpoint]> = self.context.store.endpoints().await?.into();
            self.context.limits.keep(&endpoints);
            for endpoint in endpoints.iter() {
                self.refresh_limits(endpoint).await?;
            }
            (self.endpoints, self.endpoint_changes) = (endpoints, Some(changes));
        }
        Ok(())
    }

    /// Starts passes and checks as far as the limits allow.
    async fn start_users(&mut self, endpoints: &[Endpoint], now: Timestamp) -> Result<(), StoreError> {
        let store = self.context.store.clone();
        let config = store.config().await?;
        let parked: HashSet<Guid> = store.parked(now).await?.into_iter().map(|(guid, _)| guid).collect();
        let limits = self.context.limits.clone();
        let open = endpoints.iter().filter(|endpoint| !parked.contains(&endpoint.guid)).map(|endpoint| {
            let learned_limit = limits.max_mailboxes(endpoint.guid, now) as u64;
            OpenEndpoint { endpoint, learned_limit }
        });
        let (running, checks) = (store.running().await?, store.checks_under_way(now).await?);
        let mut admission = Admission::new(config.max_concurrent_migrations, open, &running, &checks);
        let mut waiting = store.waiting(now).await?;
        waiting.sort_by_key(|pass| pass.kind);
        for pass in waiting {
            let Some(start) = admission.passes(pass) else { continue };
            let started = self.start_passes(start, pass, now).await?;
            admission.count_passes(pass, started);
        }
        for (source, target) in store.waiting_checks(now).await? {
            let Some(start) = admission.checks(source, target) else { continue };
            let started = self.start_checks(start, now).await?;
            admission.count_checks(target, started);
        }
        Ok(())
    }

    /// Extends all leases. A worker whose lease is lost ends.
    ///
    /// Permits of workers count from before the right of the service was renewed: what ends first counts.
    async fn send_heartbeats(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let since = (self.context.permit_clock)();
        self.context.store.renew_service(self.owner).await?;
        let workers = self.context.workers.all();
        let present: HashMap<Guid, &Worker> = workers.iter().map(|(user, worker)| (*user, worker)).collect();
        self.leases.retain(|user, _| present.contains_key(user));
        let heartbeats = self.leases.iter().map(|(user, lease)| Heartbeat {
            lease: *lease,
            until: now.checked_add(LEASE_TIME).unwrap_or(Timestamp::MAX),
            statistics: present.get(user).map(|worker| worker.tally.statistics()),
        });
        let lost = self.context.store.heartbeats(heartbeats.collect()).await?;
        for lease in lost {
            self.leases.remove(&lease.user);
            self.context.workers.end(lease.user, EndReason::LeaseLost);
        }
        self.renewed = since;
        let leased = workers.iter().filter(|(user, _)| self.leases.contains_key(user));
        for (_, worker) in leased {
            if !worker.permit.renew(since, PERMIT_TIME) {
                worker.end(EndReason::LeaseLost);
            }
        }
        Ok(())
    }

    /// Applies the endpoint's rates. A new endpoint begins with its usage of the last hours.
    async fn refresh_limits(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let now = SystemClock.now();
        let used = if self.context.limits.contains(endpoint.guid) {
            Usage::default()
        } else {
            let hours = self.context.store.usage(endpoint.guid, None, Usage::first_hour(now)).await?;
            hours.into_iter().collect()
        };
        self.context.limits.refresh(endpoint, used, now);
        Ok(())
    }

    /// Returns the connection slots of a source, by its setting and the server's refusals.
    fn places(&mut self, endpoint: &Endpoint, now: Timestamp) -> Slots {
        let max = max_places(endpoint).min(self.context.limits.max_mailboxes(endpoint.guid, now));
        let places = self.places.entry(endpoint.guid).or_insert_with(|| Slots::new(max));
        places.resize(max);
        places.clone()
    }

    /// Ends workers at the end of their window if the setting was lowered. Their users wait again.
    ///
    /// Workers whose connections the server refuses end by themselves.
    fn end_excess_workers(&mut self, endpoint: &Endpoint, now: Timestamp) {
        let excess = self.places(endpoint, now).taken().saturating_sub(max_places(endpoint));
        if excess == 0 {
            return;
        }
        let workers = self.context.workers.all().into_iter().map(|(_, worker)| worker);
        let (ending, running): (Vec<Worker>, Vec<Worker>) = workers
            .filter(|worker| worker.source.endpoint == endpoint.guid)
            .partition(|worker| worker.end_reason().is_some());
        for worker in running.iter().take(excess.saturating_sub(ending.len())) {
            worker.end(EndReason::Preempted);
        }
    }

    /// Takes connection slots, at most `limit`, as far as they are free.
    fn take_places(&mut self, endpoint: &Endpoint, limit: u64, now: Timestamp) -> (Slots, Vec<Slot>) {
        let places = self.places(endpoint, now);
        let mut taken = Vec::new();
        while (taken.len() as u64) < limit.min(MAX_STARTS)
            && let Some(place) = places.try_take()
        {
            taken.push(place);
        }
        (places, taken)
    }

    /// Starts checks, and returns how many.
    async fn start_checks(&mut self, start: Start<'_>, now: Timestamp) -> Result<u64, StoreError> {
        let (_, taken) = self.take_places(start.source, start.limit, now);
        if taken.is_empty() {
            return Ok(0);
        }
        let claim = CheckClaim {
            now,
            until: now.checked_add(CHECK_TIMEOUT).unwrap_or(Timestamp::MAX),
            source_endpoint: start.source.guid,
            target_endpoint: start.target,
            limit: u32::try_from(taken.len()).unwrap_or(u32::MAX),
        };
        let claimed = self.context.store.claim_checks(claim).await?;
        let started = claimed.len() as u64;
        for (check, place) in claimed.into_iter().zip(taken) {
            let worker = self.worker(&check.user, &start);
            self.context.workers.started(check.user.guid, worker.clone());
            tokio::spawn(self.context.clone().check(check, worker, place));
        }
        Ok(started)
    }

    /// Starts passes, and returns how many.
    async fn start_passes(
        &mut self,
        start: Start<'_>,
        pass: WaitingPasses,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (places, taken) = self.take_places(start.source, start.limit, now);
        if taken.is_empty() {
            return Ok(0);
        }
        let claim = Claim {
            now,
            owner: self.owner,
            until: now.checked_add(LEASE_TIME).unwrap_or(Timestamp::MAX),
            source_endpoint: start.source.guid,
            target_endpoint: start.target,
            kinds: vec![pass.kind],
            limit: u32::try_from(taken.len()).unwrap_or(u32::MAX),
        };
        let claimed = self.context.store.claim(claim).await?;
        let started = claimed.len() as u64;
        for (claimed, place) in claimed.into_iter().zip(taken) {
            let worker = self.worker(&claimed.user, &start);
            self.context.workers.started(claimed.user.guid, worker.clone());
            self.leases.insert(claimed.user.guid, claimed.lease);
            let job = WorkerJob::new(self.context.clone(), claimed, worker, places.clone());
            tokio::spawn(run_job(job, place));
        }
        Ok(started)
    }

    /// Returns a worker whose permit counts from the last renewal.
    fn worker(&self, user: &MigrationUser, start: &Start<'_>) -> Worker {
        let login = |endpoint, name: &String| EndpointLogin { endpoint, user_name: name.clone() };
        let source = login(start.source.guid, &user.user_name);
        let target = start.target.map(|endpoint| login(endpoint, &user.target_user_name));
        // Only the service of a database on a server is taken over while it may still run.
        let unsent_lifetime = self.context.store.is_on_server().then_some(UNSENT_DATA_LIFETIME);
        let clock = self.context.permit_clock.clone();
        let permit = Permit::with_unsent_lifetime(clock, self.renewed, PERMIT_TIME, unsent_lifetime);
        Worker::new(user.batch, source, target, user.statistics, permit)
    }
}

fn max_places(endpoint: &Endpoint) -> usize {
    match endpoint.max_concurrent_migrations {
        Limit::At(max) => usize::try_from(max).unwrap_or(usize::MAX),
        Limit::Unlimited => usize::MAX,
    }
}
