//! The loop of the service: starts passes and checks of users. Passes go before checks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Slot, Slots, Usage};
use mailhaul_mail::Permit;
use mailhaul_migration::{Endpoint, Guid, Limit, MigrationUser, UserStatus};
use mailhaul_store::{
    CheckClaim, Claim, Heartbeat, Lease, NodeSettings, Part, ServiceLock, ShareKind, StoreError,
    WaitingPasses, Wish,
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    admission::{Admission, OpenEndpoint, Start},
    check,
    lease_times::LeaseTimes,
    limits::configured::of_endpoint,
    listener, outbox, routing,
    service_context::ServiceContext,
    shares::{Shares, WHOLE_RATE},
    worker::{job::WorkerJob, run_job},
    workers::{EndReason, EndpointLogin, Worker},
};
use crate::one_pass::SystemClock;

/// Time after which a check without a result may start again.
const CHECK_TIMEOUT: Duration = Duration::from_mins(5);
/// Difference between two readings of clocks from which on it counts: this machine's and the database's, or now and before.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);
/// Grace period for workers at shutdown. After it they are cut, and their users are due at once.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// Grace period for mails and webhooks that are being sent.
const OUTBOX_GRACE: Duration = Duration::from_secs(5);
/// Wait after a reservation that failed.
const RESERVATION_RETRY_WAIT: Duration = Duration::from_secs(1);
/// Maximum number of users that one pair of endpoints starts in a turn.
const MAX_STARTS: u64 = 1000;

/// Runs workers for one data directory, or for one of the nodes of a database.
pub(crate) struct Scheduler {
    context: ServiceContext,
    /// The right to run, which owns the leases.
    lock: ServiceLock,
    settings: NodeSettings,
    times: LeaseTimes,
    /// True if the administrator wants to stop this node: it begins no pass.
    is_draining: bool,
    /// True if the clocks differed so much at the last beat that it was told.
    has_clock_warning: bool,
    /// Connection slots of each source endpoint.
    places: HashMap<Guid, Slots>,
    leases: HashMap<Guid, Lease>,
    endpoints: Arc<[Endpoint]>,
    /// Number of endpoint changes before `endpoints` was read; `None` if it must be read again.
    endpoint_changes: Option<u64>,
    /// Time of the last turn: a clock that went back since is noticed.
    last_turn: Option<Timestamp>,
    last_heartbeat: Option<Instant>,
    /// Parts of the limits of endpoints, beside other nodes.
    shares: Shares,
    /// True in the turn of a beat: shares of other nodes may have changed.
    must_ask: bool,
    /// Time of the permits' clock before the last renewal.
    renewed: Duration,
    /// Tasks of notifications.
    outbox: JoinSet<()>,
    /// Ends these tasks.
    outbox_stop: CancellationToken,
}

impl Scheduler {
    /// Takes the lock as proof that no other process is the service of this data directory, or as a node's lease.
    pub(crate) fn new(context: ServiceContext, lock: ServiceLock, settings: NodeSettings) -> Self {
        if context.store.is_on_server() {
            context.limits.begin_node(lock.owner(), SystemClock.now());
        }
        Self {
            context,
            lock,
            times: LeaseTimes::new(settings.lease),
            settings,
            is_draining: false,
            has_clock_warning: false,
            places: HashMap::new(),
            leases: HashMap::new(),
            endpoints: Arc::default(),
            endpoint_changes: None,
            last_turn: None,
            last_heartbeat: None,
            shares: Shares::default(),
            must_ask: false,
            renewed: Duration::ZERO,
            outbox: JoinSet::new(),
            outbox_stop: CancellationToken::new(),
        }
    }

    /// Runs until `stop` is cancelled. Then workers end at the end of their window. Returns the right to run.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> ServiceLock {
        let wakes = tokio::spawn(listener::listen(self.context.clone()));
        let watch = tokio::spawn(routing::watch(self.context.clone()));
        self.start_outbox();
        loop {
            if let Err(error) = self.turn().await {
                // For example a full disk. Running workers continue as long as they can.
                tracing::error!("{error}");
                if matches!(error, StoreError::NodeLost { .. }) {
                    self.join_again().await;
                }
            }
            let wait = self.time_until_next_turn().await;
            if !self.wait_for_turn(wait, &stop).await {
                break;
            }
        }
        wakes.abort();
        watch.abort();
        self.outbox_stop.cancel();
        self.context.workers.end_all(EndReason::Preempted);
        if !self.context.workers.all_ended_within(SHUTDOWN_GRACE).await {
            tracing::warn!("some workers did not end in time; they continue when the service starts again");
            // Without this the next process would take these users for the cause of a crash.
            if let Err(error) = self.context.store.jobs().give_back(self.now(), self.lock.owner()).await {
                tracing::warn!("the leases of these workers were not given back: {error}");
            }
        }
        // A mail that is broken off here is sent once more by the next process.
        let sent = async { while self.outbox.join_next().await.is_some() {} };
        _ = tokio::time::timeout(OUTBOX_GRACE, sent).await;
        // A failure costs no more than what is reserved: it counts as used.
        _ = self.reserve_day_bytes().await;
        self.lock
    }

    /// Starts the tasks that watch for notifications and send them.
    ///
    /// Earlier tasks end: their claims belong to the node that this process was before.
    fn start_outbox(&mut self) {
        self.outbox = JoinSet::new();
        self.outbox_stop = CancellationToken::new();
        let (context, stop) = (self.context.clone(), self.outbox_stop.clone());
        self.outbox.spawn(async move {
            // A look that is broken off is repeated by the next process.
            _ = stop.run_until_cancelled(Box::pin(outbox::watch(context))).await;
        });
        let stop = self.outbox_stop.clone();
        self.outbox.spawn(outbox::send(self.context.clone(), self.lock.owner(), stop));
    }

    /// Reserves bytes of a day as workers need them, until the next turn. Returns false at the end of the service.
    async fn wait_for_turn(&self, wait: Duration, stop: &CancellationToken) -> bool {
        let turn = Instant::now() + wait;
        loop {
            tokio::select! {
                () = self.context.workers.nudged_within(turn.saturating_duration_since(Instant::now())) => return true,
                () = self.context.limits.bytes_wanted() => {}
                () = stop.cancelled() => return false,
            }
            if let Err(error) = self.reserve_day_bytes().await {
                tracing::warn!("no bytes of a day are reserved: {error}");
                tokio::time::sleep(RESERVATION_RETRY_WAIT).await;
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.context.store.now()
    }

    /// Cuts all workers, whose mailboxes other nodes continue, and becomes another node.
    async fn join_again(&mut self) {
        self.context.workers.end_all(EndReason::LeaseLost);
        self.context.workers.all_ended_within(SHUTDOWN_GRACE).await;
        self.leases.clear();
        self.shares.clear();
        match self.context.store.nodes().take_service(self.settings.clone()).await {
            Ok(lock) => {
                (self.lock, self.last_heartbeat) = (lock, None);
                self.context.limits.begin_node(self.lock.owner(), SystemClock.now());
                self.start_outbox();
            }
            Err(error) => tracing::error!("this node cannot join the others again: {error}"),
        }
    }

    async fn time_until_next_turn(&self) -> Duration {
        let now = self.now();
        match self.context.store.jobs().next_due(now).await {
            Ok(Some(due)) => {
                let millis = u64::try_from(due.as_millisecond() - now.as_millisecond()).unwrap_or(0);
                self.times.heartbeat.min(Duration::from_millis(millis + 1))
            }
            _ => self.times.heartbeat,
        }
    }

    /// Does everything that is due. The number of queries does not depend on the number of endpoints, and
    /// their cost not on the number of users that are not due.
    pub(super) async fn turn(&mut self) -> Result<(), StoreError> {
        let store = self.context.store.clone();
        let now = self.now();
        if self.last_turn.is_none_or(|last| is_set_back(last, now)) {
            store.bring_times_back(now, check::LONGEST_WAIT).await?;
        }
        self.last_turn = Some(now);
        if self.last_heartbeat.is_none_or(|last| last.elapsed() >= self.times.heartbeat) {
            self.send_heartbeats(now).await?;
            let recovered = store.jobs().recover(now, self.lock.owner()).await?;
            for node in recovered.nodes {
                tracing::warn!("the node {node} is lost; its mailboxes continue at once");
            }
            self.last_heartbeat = Some(Instant::now());
            self.context.workers.must_look();
            store.give_back_space().await?;
        }
        self.must_ask = self.context.workers.take_must_look();
        if self.must_ask {
            // Another process may have changed an endpoint.
            self.endpoint_changes = None;
            self.look_at_leases().await?;
        }
        store.jobs().complete_due(now).await?;
        self.read_endpoints().await?;
        let endpoints = self.endpoints.clone();
        let mut waiting = store.jobs().waiting(now).await?;
        waiting.sort_by_key(|pass| pass.kind);
        let mut checks = store.checks().waiting(now).await?;
        if self.is_draining {
            self.context.workers.end_all(EndReason::Preempted);
            (waiting, checks) = (Vec::new(), Vec::new());
        }
        let sources =
            waiting.iter().map(|pass| pass.source_endpoint).chain(checks.iter().map(|(source, _)| *source));
        self.ask_for_connections(&endpoints, &sources.collect(), now).await?;
        for endpoint in endpoints.iter() {
            self.end_excess_workers(endpoint, now);
        }
        self.start_users(&endpoints, waiting, checks, now).await?;
        self.ask_for_rates(&endpoints).await?;
        if self.must_ask {
            self.context.limits.forget_refusals(SystemClock.now());
        }
        self.reserve_day_bytes().await
    }

    /// Asks for this node's parts of the connections of sources.
    async fn ask_for_connections(
        &mut self,
        endpoints: &[Endpoint],
        waiting: &HashSet<Guid>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.context.store.is_on_server() {
            return Ok(());
        }
        let is_full = self.context.workers.count() >= self.capacity();
        let wishes = endpoints.iter().filter_map(|endpoint| {
            let limit = self.max_connections(endpoint, now).map(|limit| limit as u64)?;
            let taken = self.places.get(&endpoint.guid).map_or(0, |places| places.taken() as u64);
            // A running mailbox can use several.
            let wants_more = taken > 0 || waiting.contains(&endpoint.guid) && !is_full;
            let wanted = if wants_more && !self.is_draining { limit } else { taken };
            Some(Wish { endpoint: endpoint.guid, kind: ShareKind::Connections, limit, taken, wanted })
        });
        let (store, node, wishes) = (&self.context.store, self.lock.owner(), wishes.collect());
        self.shares.ask(store, node, ShareKind::Connections, wishes, self.must_ask).await
    }

    /// Asks for this node's parts of the rates of endpoints that it works at, and applies them.
    async fn ask_for_rates(&mut self, endpoints: &[Endpoint]) -> Result<(), StoreError> {
        if !self.context.store.is_on_server() {
            return Ok(());
        }
        let at_work = self.context.workers.endpoints();
        let (limit, taken) = (WHOLE_RATE, 0);
        let limited = endpoints.iter().filter(|endpoint| of_endpoint(endpoint.rates).is_any_set());
        let limited: Vec<Guid> = limited.map(|endpoint| endpoint.guid).collect();
        let wishes = limited.iter().filter(|endpoint| at_work.contains(endpoint)).map(|endpoint| Wish {
            endpoint: *endpoint,
            kind: ShareKind::Rates,
            limit,
            taken,
            wanted: WHOLE_RATE,
        });
        let (store, node) = (&self.context.store, self.lock.owner());
        self.shares.ask(store, node, ShareKind::Rates, wishes.collect(), self.must_ask).await?;
        for endpoint in endpoints {
            let part = self.shares.part(endpoint.guid, ShareKind::Rates);
            self.context.limits.set_share(endpoint.guid, part.may_begin, SystemClock.now());
        }
        Ok(())
    }

    /// Reserves bytes of a day where workers need them, and gives back those that none needs.
    async fn reserve_day_bytes(&self) -> Result<(), StoreError> {
        let (limits, at_work) = (&self.context.limits, self.context.workers.endpoints());
        for endpoint in limits.due_reservations(&at_work, SystemClock.now()) {
            let begun = limits.begin_reservation(endpoint, at_work.contains(&endpoint), SystemClock.now());
            let Some(begun) = begun else { continue };
            let answer = self.context.store.jobs().reserve_bytes(self.lock.owner(), begun.request).await;
            let (answer, result) = match answer {
                Ok(answer) => (Some(answer), Ok(())),
                Err(error) => (None, Err(error)),
            };
            limits.end_reservation(&begun, answer, SystemClock.now());
            result?;
        }
        Ok(())
    }

    /// Ends workers whose user was stopped or removed by another process.
    async fn look_at_leases(&mut self) -> Result<(), StoreError> {
        if !self.context.store.is_on_server() {
            return Ok(());
        }
        self.is_draining = self.context.store.nodes().is_draining(self.lock.owner()).await?;
        let held = self.context.store.jobs().leases_of(self.lock.owner()).await?;
        let workers = &self.context.workers;
        self.leases.retain(|user, lease| match held.get(lease) {
            Some(UserStatus::Stopping) => {
                workers.end(*user, EndReason::Stopped);
                true
            }
            Some(_) => true,
            None => {
                workers.end(*user, EndReason::LeaseLost);
                false
            }
        });
        Ok(())
    }

    /// Reads all endpoints after a change, and applies their rates.
    async fn read_endpoints(&mut self) -> Result<(), StoreError> {
        let changes = self.context.store.endpoints().changes();
        if self.endpoint_changes != Some(changes) {
            let endpoints: Arc<[Endpoint]> = self.context.store.endpoints().list().await?.into();
            self.context.limits.keep(&endpoints);
            for endpoint in endpoints.iter() {
                self.refresh_limits(endpoint).await?;
            }
            for (endpoint, learned) in self.context.store.nodes().learned().await? {
                self.context.limits.set_learned(endpoint, learned);
            }
            (self.endpoints, self.endpoint_changes) = (endpoints, Some(changes));
        }
        Ok(())
    }

    /// Starts passes and checks as far as the limits allow.
    async fn start_users(
        &mut self,
        endpoints: &[Endpoint],
        waiting: Vec<WaitingPasses>,
        waiting_checks: Vec<(Guid, Option<Guid>)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if waiting.is_empty() && waiting_checks.is_empty() {
            return Ok(());
        }
        let store = self.context.store.clone();
        let config = store.config().get().await?;
        let parked: HashSet<Guid> =
            store.jobs().parked(now).await?.into_iter().map(|(guid, _)| guid).collect();
        let limits = self.context.limits.clone();
        let open = endpoints.iter().filter(|endpoint| !parked.contains(&endpoint.guid)).map(|endpoint| {
            let learned_limit = limits.max_mailboxes(endpoint.guid, now) as u64;
            OpenEndpoint { endpoint, learned_limit }
        });
        let (running, checks) = (store.jobs().running().await?, store.checks().under_way(now).await?);
        let mut admission = Admission::new(config.max_concurrent_migrations, open, &running, &checks);
        for pass in waiting {
            let Some(start) = admission.passes(pass) else { continue };
            let started = self.start_passes(start, pass, now).await?;
            admission.count_passes(pass, started);
        }
        for (source, target) in waiting_checks {
            let Some(start) = admission.checks(source, target) else { continue };
            let started = self.start_checks(start, now).await?;
            admission.count_checks(target, started);
        }
        Ok(())
    }

    /// Extends all leases. A worker whose lease is lost ends.
    ///
    /// Permits of workers count from before the node's beat: what ends first counts.
    async fn send_heartbeats(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let since = (self.context.permit_clock)();
        let beat = self.context.store.nodes().beat(self.lock.owner(), self.times.lease).await?;
        self.is_draining = beat.is_draining;
        self.warn_about_clock(beat.clock_offset);
        let workers = self.context.workers.all();
        let present: HashMap<Guid, &Worker> = workers.iter().map(|(user, worker)| (*user, worker)).collect();
        self.leases.retain(|user, _| present.contains_key(user));
        let heartbeats = self.leases.iter().map(|(user, lease)| Heartbeat {
            lease: *lease,
            until: now.checked_add(self.times.lease).unwrap_or(Timestamp::MAX),
            statistics: present.get(user).map(|worker| worker.tally.statistics()),
        });
        let lost = self.context.store.jobs().heartbeats(heartbeats.collect()).await?;
        for lease in lost {
            self.leases.remove(&lease.user);
            self.context.workers.end(lease.user, EndReason::LeaseLost);
        }
        self.renewed = since;
        let leased = workers.iter().filter(|(user, _)| self.leases.contains_key(user));
        for (_, worker) in leased {
            if !worker.permit.renew(since, self.times.permit) {
                worker.end(EndReason::LeaseLost);
            }
        }
        Ok(())
    }

    /// Tells once that this machine's clock and that of the database differ.
    fn warn_about_clock(&mut self, offset: i64) {
        let is_far = Duration::from_millis(offset.unsigned_abs()) > CLOCK_TOLERANCE;
        if is_far && !self.has_clock_warning {
            tracing::warn!(
                "the clock of this node ({}) differs by {} s from that of the database; the database's clock counts",
                self.settings.name,
                (offset + offset.signum() * 500) / 1000
            );
        }
        self.has_clock_warning = is_far;
    }

    /// Number of mailboxes for which this process has room.
    fn capacity(&self) -> u64 {
        u64::from(self.settings.capacity)
    }

    /// Applies the endpoint's rates. A process alone counts the usage of the last hours of a new endpoint.
    async fn refresh_limits(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let (now, limits) = (SystemClock.now(), &self.context.limits);
        let is_counted_here = limits.node().is_none() && !limits.contains(endpoint.guid);
        let used: Usage = if is_counted_here {
            let hours = self.context.store.jobs().usage(endpoint.guid, None, Usage::first_hour(now)).await?;
            hours.into_iter().collect()
        } else {
            Usage::default()
        };
        limits.refresh(endpoint, used, now);
        Ok(())
    }

    /// Returns the maximum number of connections of a source on all nodes, by its setting and the server's refusals.
    ///
    /// `None` if there is no limit.
    fn max_connections(&self, endpoint: &Endpoint, now: Timestamp) -> Option<usize> {
        let max = max_places(endpoint).min(self.context.limits.max_mailboxes(endpoint.guid, now));
        (max < usize::MAX).then_some(max)
    }

    /// Returns the connection slots of a source that this process has.
    fn places(&mut self, endpoint: &Endpoint, now: Timestamp) -> Slots {
        let max = match self.max_connections(endpoint, now) {
            Some(_) if self.context.store.is_on_server() => as_slots(self.connections(endpoint).may_begin),
            Some(max) => max,
            None => usize::MAX,
        };
        let places = self.places.entry(endpoint.guid).or_insert_with(|| Slots::new(max));
        places.resize(max);
        places.clone()
    }

    /// Ends workers at the end of their window if the setting was lowered. Their users wait again.
    ///
    /// Workers whose connections the server refuses end by themselves.
    fn end_excess_workers(&mut self, endpoint: &Endpoint, now: Timestamp) {
        let may_keep = match endpoint.max_concurrent_migrations {
            Limit::At(_) if self.context.store.is_on_server() => {
                as_slots(self.connections(endpoint).may_keep)
            }
            _ => max_places(endpoint),
        };
        let excess = self.places(endpoint, now).taken().saturating_sub(may_keep);
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

    /// Returns this node's part of the endpoint's connections.
    fn connections(&self, endpoint: &Endpoint) -> Part {
        self.shares.part(endpoint.guid, ShareKind::Connections)
    }

    /// Takes connection slots, at most `limit`, as far as they are free.
    fn take_places(&mut self, endpoint: &Endpoint, limit: u64, now: Timestamp) -> (Slots, Vec<Slot>) {
        let places = self.places(endpoint, now);
        let mut taken = Vec::new();
        let spare = self.capacity().saturating_sub(self.context.workers.count());
        while (taken.len() as u64) < limit.min(MAX_STARTS).min(spare)
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
            limits: start.limits,
        };
        let claimed = self.context.store.checks().claim(claim).await?;
        let started = claimed.len() as u64;
        for (check, place) in claimed.into_iter().zip(taken) {
            let mut worker = self.worker(&check.user, &start);
            worker.is_check = true;
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
            owner: self.lock.owner(),
            until: now.checked_add(self.times.lease).unwrap_or(Timestamp::MAX),
            source_endpoint: start.source.guid,
            target_endpoint: start.target,
            kinds: vec![pass.kind],
            limit: u32::try_from(taken.len()).unwrap_or(u32::MAX),
            limits: start.limits,
        };
        let claimed = self.context.store.jobs().claim(claim).await?;
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
        let unsent_lifetime = self.context.store.is_on_server().then_some(self.times.unsent);
        let clock = self.context.permit_clock.clone();
        let permit = Permit::with_unsent_lifetime(clock, self.renewed, self.times.permit, unsent_lifetime);
        Worker::new(user.batch, source, target, user.statistics, permit)
    }
}

/// True if the clock was set back. Beats correct the time of a node by some milliseconds, in both directions.
fn is_set_back(last: Timestamp, now: Timestamp) -> bool {
    last.duration_since(now).unsigned_abs() > CLOCK_TOLERANCE && now < last
}

fn as_slots(part: u64) -> usize {
    usize::try_from(part).unwrap_or(usize::MAX)
}

fn max_places(endpoint: &Endpoint) -> usize {
    match endpoint.max_concurrent_migrations {
        Limit::At(max) => usize::try_from(max).unwrap_or(usize::MAX),
        Limit::Unlimited => usize::MAX,
    }
}
