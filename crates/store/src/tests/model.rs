//! Random histories of users, against a small model in memory.

use std::collections::BTreeMap;

use mailhaul_migration::{BatchIntent, Guid, UserEvent, UserStatus};
use proptest::{prelude::*, test_runner::TestRunner};
use strum::VariantArray;

use super::{IS_ON_SERVER, at, batch, endpoint, row, service};
use crate::{Claim, Due, Lease, PassKind, Release, Store, StoreError, Users, db::sql};

/// A step of a history. Its numbers select from the existing objects.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes.
    Wait(i64),
    /// A row is added to one of the batches.
    Add { batch: usize, name: usize },
    /// A batch gets an intent, and its users an event.
    Order { batch: usize, intent: BatchIntent, event: Option<UserEvent> },
    /// An event is applied to one user.
    Apply { user: usize, event: UserEvent, due: When },
    /// A worker claims users.
    Claim { owner: usize, kinds: Vec<PassKind>, limit: u32 },
    /// A worker renews a lease, which may have ended.
    Renew { lease: usize },
    /// A worker advances a user's status.
    Advance { lease: usize },
    /// A pass ends.
    Release { lease: usize, event: UserEvent, due: When },
    /// A service starts.
    Recover { owner: usize },
    /// Final passes begin.
    Complete,
    /// A user is removed.
    Remove { user: usize },
}

/// A [`Due`] relative to the current time.
#[derive(Clone, Copy, Debug)]
enum When {
    Keep,
    Never,
    In(i64),
    AfterStart,
}

/// The claims and statuses of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ModelUser {
    name: usize,
    guid: Guid,
    batch: usize,
    status: UserStatus,
    since: i64,
    due: Option<i64>,
    has_synced: bool,
    attempts: u32,
    /// Consecutive process ends.
    lost: u32,
    /// Owner, expiry and pass.
    lease: Option<(usize, i64, PassKind)>,
    fence: i64,
    queued: i64,
    in_progress: i64,
    synced: i64,
}

impl ModelUser {
    /// Applies the event; false if it is impossible.
    fn take(&mut self, event: UserEvent, now: i64, due: When, start: i64) -> bool {
        let Ok(mut next) = self.status.on(event, self.has_synced) else { return false };
        if next == UserStatus::Stopping && self.lease.is_none() {
            next = next.on(UserEvent::Halted, self.has_synced).unwrap();
        }
        if next != self.status {
            let elapsed = now - self.since;
            match self.status {
                UserStatus::Queued => self.queued += elapsed,
                UserStatus::Synced => self.synced += elapsed,
                status if status.is_running() => self.in_progress += elapsed,
                _ => {}
            }
            self.since = now;
        }
        self.status = next;
        if event == UserEvent::Start {
            self.attempts = 0;
            self.lost = 0;
        }
        self.due = match due {
            _ if PassKind::before(next).is_none() => None,
            When::Keep => self.due,
            When::Never => None,
            When::In(seconds) => Some(now + seconds),
            When::AfterStart => Some(now.max(start)),
        };
        true
    }
}

const BATCHES: usize = 3;
const OWNERS: usize = 2;
/// The batches' `StartAfter` and `CompleteAfter`.
const START: i64 = 30;
const COMPLETE: [i64; BATCHES] = [40, 80, i64::MAX];
/// The two endpoints: the last batch has one of its own.
const ENDPOINT: [usize; BATCHES] = [0, 0, 1];
const LEASE: i64 = 20;

struct World {
    store: Store,
    endpoints: Vec<Guid>,
    batches: Vec<Guid>,
    owners: [Guid; OWNERS],
    now: i64,
    intents: [BatchIntent; BATCHES],
    /// The users in the order of their creation.
    users: Vec<ModelUser>,
    /// All leases that were ever granted.
    leases: Vec<Lease>,
}

impl World {
    async fn new(store: Store) -> Self {
        let mut endpoints = Vec::new();
        for name in ["Old", "Older"] {
            endpoints.push(store.endpoints().insert(endpoint(name), None).await.unwrap());
        }
        let mut batches = Vec::new();
        for number in 0..BATCHES {
            let mut new =
                batch(&format!("batch {number}"), &endpoints[ENDPOINT[number]], BatchIntent::Created);
            new.settings.start_after = Some(at(START));
            let complete = COMPLETE[number];
            new.settings.complete_after = (complete < i64::MAX).then(|| at(complete));
            batches.push(store.batches().insert(new, Vec::new()).await.unwrap().batch.guid);
        }
        let endpoints = endpoints.into_iter().map(|it| it.guid).collect();
        let intents = [BatchIntent::Created; BATCHES];
        let owners = [Guid::new_v4(), Guid::new_v4()];
        Self { store, endpoints, batches, owners, now: 0, intents, users: Vec::new(), leases: Vec::new() }
    }

    fn due(&self, when: When) -> Due {
        match when {
            When::Keep => Due::Keep,
            When::Never => Due::Never,
            When::In(seconds) => Due::At(at(self.now + seconds)),
            When::AfterStart => Due::AfterStart(at(self.now)),
        }
    }

    /// Returns the lease of this number, and the index of its user if the lease holds.
    fn lease(&self, number: usize) -> Option<(Lease, Option<usize>)> {
        let lease = *self.leases.get(number % self.leases.len().max(1))?;
        let holds = |user: &ModelUser| user.guid == lease.user && user.fence == lease.fence;
        Some((lease, self.users.iter().position(holds)))
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Wait(seconds) => self.now += seconds,
            Step::Add { batch, name } => self.add(batch, name).await,
            Step::Order { batch, intent, event } => self.order(batch, intent, event).await,
            Step::Apply { user, event, due } => self.apply(user, event, due).await,
            Step::Claim { owner, kinds, limit } => self.claim(owner, kinds, limit).await,
            Step::Renew { lease } => self.renew(lease).await,
            Step::Advance { lease } => self.advance(lease).await,
            Step::Release { lease, event, due } => self.release(lease, event, due).await,
            Step::Recover { owner } => self.recover(owner).await,
            Step::Complete => self.complete().await,
            Step::Remove { user } => {
                if !self.users.is_empty() {
                    let known = self.users.remove(user % self.users.len());
                    self.store.users().remove(known.guid).await.unwrap();
                }
            }
        }
    }

    async fn order(&mut self, batch: usize, intent: BatchIntent, event: Option<UserEvent>) {
        let now = self.now;
        let change = move |it: &mut mailhaul_migration::Batch| it.intent = intent;
        let guid = self.batches[batch];
        self.intents[batch] = intent;
        let Some(event) = event else {
            self.store.batches().update(guid, change).await.unwrap();
            return;
        };
        let due = self.due(When::AfterStart);
        let ordered = self.store.batches().order(guid, event, at(now), due, change).await.unwrap();
        let of_batch = self.users.iter_mut().filter(|it| it.batch == batch);
        let moved = of_batch.filter_map(|it| it.take(event, now, When::AfterStart, START).then_some(()));
        assert_eq!(ordered.users, moved.count() as u64);
    }

    async fn apply(&mut self, user: usize, event: UserEvent, due: When) {
        let now = self.now;
        let count = self.users.len().max(1);
        let order = self.due(due);
        let Some(known) = self.users.get_mut(user % count) else { return };
        let done = self.store.jobs().apply(Users::One(known.guid), event, at(now), order).await;
        if known.take(event, now, due, START) {
            assert_eq!(done.unwrap(), 1);
        } else {
            assert!(matches!(done, Err(StoreError::Illegal { .. })));
        }
    }

    async fn renew(&mut self, lease: usize) {
        let now = self.now;
        let Some((lease, holder)) = self.lease(lease) else { return };
        let done = self.store.jobs().renew(&lease, at(now + LEASE)).await;
        assert_eq!(done.is_ok(), holder.is_some());
        if let Some((_, until, _)) = holder.and_then(|it| self.users[it].lease.as_mut()) {
            *until = now + LEASE;
        }
    }

    async fn advance(&mut self, lease: usize) {
        let now = self.now;
        let Some((lease, holder)) = self.lease(lease) else { return };
        let done = self.store.jobs().advance(&lease, UserEvent::Validated, at(now)).await;
        match holder.map(|it| &mut self.users[it]) {
            None => assert!(matches!(done, Err(StoreError::LeaseLost { .. }))),
            Some(known) => {
                assert!(known.take(UserEvent::Validated, now, When::Keep, START));
                assert_eq!(done.unwrap(), known.status);
            }
        }
    }

    async fn recover(&mut self, owner: usize) {
        let now = self.now;
        let recovered = self.store.jobs().recover(at(now), self.owners[owner]).await.unwrap().users;
        let mut expected = 0;
        for known in &mut self.users {
            let Some((holder, until, _)) = known.lease else { continue };
            if holder == owner && until > now {
                continue;
            }
            expected += 1;
            known.lease = None;
            known.fence += 1;
            known.lost += u32::from(holder != owner);
            let ends = if holder == owner { 0 } else { known.lost };
            let (event, due) = match (known.status, ends) {
                (UserStatus::Stopping, _) => (UserEvent::Halted, When::Never),
                (_, 0 | 1) => (UserEvent::Deferred, When::In(0)),
                (_, 2..5) => (UserEvent::Deferred, When::In(60)),
                (..) => (UserEvent::Failed, When::Never),
            };
            assert!(known.take(event, now, due, START));
            if event == UserEvent::Failed {
                (known.attempts, known.lost) = (0, 0);
            }
        }
        assert_eq!(recovered, expected);
    }

    async fn complete(&mut self) {
        let now = self.now;
        let completed = self.store.jobs().complete_due(at(now)).await.unwrap();
        let mut expected = 0;
        for known in &mut self.users {
            let is_in_step = matches!(known.status, UserStatus::Synced | UserStatus::IncrementalFailed);
            let runs = self.intents[known.batch] == BatchIntent::Run;
            if is_in_step && runs && now >= COMPLETE[known.batch] {
                assert!(known.take(UserEvent::Complete, now, When::In(0), START));
                expected += 1;
            }
        }
        assert_eq!(completed, expected);
    }

    async fn add(&mut self, batch: usize, name: usize) {
        let added = self.store.batches().add_users(
            self.batches[batch],
            vec![row(2, &format!("user{name}"))],
            at(self.now),
        );
        let outcome = match added.await {
            Ok(added) => (added.added, added.updated, added.left_out.len()),
            // The only row is left out, so the import is refused.
            Err(StoreError::NoUsersLeft { left_out }) => (0, 0, left_out.len()),
            Err(other) => panic!("{other}"),
        };
        match self.users.iter().find(|it| it.name == name) {
            Some(known) if known.batch == batch => assert_eq!(outcome, (0, 1, 0)),
            Some(_) => assert_eq!(outcome, (0, 0, 1)),
            None => {
                assert_eq!(outcome, (1, 0, 0));
                let runs = self.intents[batch] == BatchIntent::Run;
                let guid = super::user(&self.store, &format!("user{name}")).await.guid;
                self.users.push(ModelUser {
                    name,
                    guid,
                    batch,
                    status: if runs { UserStatus::Queued } else { UserStatus::Stopped },
                    since: self.now,
                    due: runs.then(|| self.now.max(START)),
                    has_synced: false,
                    attempts: 0,
                    lost: 0,
                    lease: None,
                    fence: 0,
                    queued: 0,
                    in_progress: 0,
                    synced: 0,
                });
            }
        }
    }

    async fn claim(&mut self, owner: usize, kinds: Vec<PassKind>, limit: u32) {
        let now = self.now;
        let endpoint = owner % self.endpoints.len();
        let claimed = self.store.jobs().claim(Claim {
            now: at(now),
            owner: self.owners[owner],
            until: at(now + LEASE),
            source_endpoint: self.endpoints[endpoint],
            target_endpoint: None,
            kinds: kinds.clone(),
            limit,
            limits: crate::ClaimLimits::default(),
        });
        let claimed = claimed.await.unwrap();
        let mut kinds = kinds;
        kinds.sort_unstable();
        kinds.dedup();
        let mut expected = Vec::new();
        for kind in kinds {
            let waiting = self.waiting(endpoint, kind);
            for place in waiting.into_iter().take(limit as usize - expected.len()) {
                let known = &mut self.users[place];
                known.lease = Some((owner, now + LEASE, kind));
                known.fence += 1;
                assert!(known.take(UserEvent::Claimed, now, When::Never, START));
                let lease = Lease { user: known.guid, owner: self.owners[owner], fence: known.fence };
                self.leases.push(lease);
                expected.push((lease, kind, known.status));
            }
        }
        let seen: Vec<_> = claimed.into_iter().map(|it| (it.lease, it.kind, it.user.status)).collect();
        assert_eq!(seen, expected);
    }

    /// Returns the users of this endpoint that may be claimed for this pass, in order.
    ///
    /// At most one of them has process ends.
    fn waiting(&self, endpoint: usize, kind: PassKind) -> Vec<usize> {
        let is_there = |it: &ModelUser| {
            ENDPOINT[it.batch] == endpoint && self.intents[it.batch] == BatchIntent::Run && it.lost >= 2
        };
        let is_due = |it: &ModelUser| it.due.is_some_and(|due| due <= self.now);
        let suspects = self.users.iter().enumerate();
        let suspects = suspects.filter(|(_, it)| is_there(it) && (it.lease.is_some() || is_due(it)));
        let suspect = suspects.min_by_key(|(place, it)| (it.lease.is_none(), it.due, *place));
        let suspect = suspect.map(|(place, _)| place);
        let mut waiting: Vec<(i64, usize)> = Vec::new();
        for (place, known) in self.users.iter().enumerate() {
            let runs = ENDPOINT[known.batch] == endpoint && self.intents[known.batch] == BatchIntent::Run;
            let is_free = runs && known.lease.is_none() && (known.lost < 2 || suspect == Some(place));
            let is_meant = PassKind::before(known.status) == Some(kind);
            if let Some(due) = known.due.filter(|due| *due <= self.now && is_free && is_meant) {
                waiting.push((due, place));
            }
        }
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, place)| place).collect()
    }

    async fn release(&mut self, lease: usize, event: UserEvent, due: When) {
        let Some((lease, holder)) = self.lease(lease) else { return };
        let now = self.now;
        let is_synced = matches!(event, UserEvent::Synced | UserEvent::SyncedWithSkippedItems);
        let release = Release {
            synced: is_synced.then(|| at(now)),
            failure: (event == UserEvent::Deferred).then(super::failure),
            ..super::end(event, now, self.due(due))
        };
        let done = self.store.jobs().release(&lease, release).await;
        let Some(place) = holder else {
            assert!(matches!(done, Err(StoreError::LeaseLost { .. })));
            return;
        };
        let mut known = self.users[place].clone();
        known.lease = None;
        known.fence += 1;
        if !known.take(event, now, due, START) {
            assert!(matches!(done, Err(StoreError::Illegal { .. })), "{done:?}");
            return;
        }
        done.unwrap();
        known.attempts = if event == UserEvent::Deferred { known.attempts + 1 } else { 0 };
        known.lost = 0;
        known.has_synced |= is_synced;
        self.users[place] = known;
    }

    /// Compares the store with the model.
    async fn assert_holds(&self) {
        let page = self.store.users().list(&crate::UserFilter::default(), None, 1_000).await.unwrap();
        let mut running: BTreeMap<(Guid, PassKind), u64> = BTreeMap::new();
        let mut next = None;
        assert_eq!(page.items.len(), self.users.len());
        for (user, known) in page.items.iter().zip(&self.users) {
            let seen = (user.guid, user.status, user.status_since, user.due, user.attempts);
            assert_eq!(seen, (known.guid, known.status, at(known.since), known.due.map(at), known.attempts));
            let counted = &user.statistics;
            let counted = (counted.queued_millis, counted.in_progress_millis, counted.synced_millis);
            let seconds = (known.queued, known.in_progress, known.synced);
            let expected = [seconds.0, seconds.1, seconds.2].map(|it| it.cast_unsigned() * 1_000);
            assert_eq!(counted, expected.into());
            match known.lease {
                Some((_, _, kind)) => {
                    *running.entry((self.endpoints[ENDPOINT[known.batch]], kind)).or_default() += 1;
                }
                None if self.intents[known.batch] == BatchIntent::Run => {
                    next = known.due.filter(|due| *due > self.now).into_iter().chain(next).min();
                }
                None => {}
            }
        }
        let seen = self.store.jobs().running().await.unwrap();
        let seen: BTreeMap<_, _> =
            seen.into_iter().map(|it| ((it.source_endpoint, it.kind), it.users)).collect();
        assert_eq!(seen, running);
        assert_eq!(self.store.jobs().next_due(at(self.now)).await.unwrap(), next.map(at));
    }
}

fn any_when() -> impl Strategy<Value = When> {
    prop_oneof![
        1 => Just(When::Keep),
        1 => Just(When::Never),
        4 => (0..30_i64).prop_map(When::In),
        2 => Just(When::AfterStart)
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let event = || prop::sample::select(UserEvent::VARIANTS.to_vec());
    let end = prop_oneof![
        4 => Just(UserEvent::Synced),
        2 => Just(UserEvent::SyncedWithSkippedItems),
        2 => Just(UserEvent::Deferred),
        1 => Just(UserEvent::Failed),
        1 => Just(UserEvent::Halted),
        1 => event(),
    ];
    let kinds = vec![PassKind::First, PassKind::Incremental, PassKind::Final];
    let kinds = prop_oneof![
        3 => Just(kinds.clone()),
        1 => prop::sample::subsequence(kinds, 0..=3).prop_shuffle()
    ];
    let order = prop::sample::select(vec![
        (BatchIntent::Run, Some(UserEvent::Start)),
        (BatchIntent::Run, Some(UserEvent::Start)),
        (BatchIntent::Run, None),
        (BatchIntent::Run, Some(UserEvent::Complete)),
        (BatchIntent::Stop, Some(UserEvent::Stop)),
        (BatchIntent::Stop, None),
    ]);
    let lease = || any::<usize>();
    prop_oneof![
        4 => (1..25_i64).prop_map(Step::Wait),
        6 => (0..BATCHES, 0..12_usize).prop_map(|(batch, name)| Step::Add { batch, name }),
        4 => (0..BATCHES, order).prop_map(|(batch, (intent, event))| Step::Order { batch, intent, event }),
        3 => (any::<usize>(), prop::sample::select(vec![
            UserEvent::Start, UserEvent::Stop, UserEvent::Complete, UserEvent::Stop, UserEvent::Start,
        ]), any_when()).prop_map(|(user, event, due)| Step::Apply { user, event, due }),
        8 => (0..OWNERS, kinds, 0..6_u32).prop_map(|(owner, kinds, limit)| Step::Claim { owner, kinds, limit }),
        2 => lease().prop_map(|lease| Step::Renew { lease }),
        2 => lease().prop_map(|lease| Step::Advance { lease }),
        8 => (lease(), end, any_when()).prop_map(|(lease, event, due)| Step::Release { lease, event, due }),
        2 => (0..OWNERS).prop_map(|owner| Step::Recover { owner }),
        1 => Just(Step::Complete),
        1 => any::<usize>().prop_map(|user| Step::Remove { user }),
    ]
}

/// Removes all users, batches and endpoints.
async fn empty(store: &Store) {
    let emptied = store.change(|connection| {
        Box::pin(async move {
            Ok(sql::query("TRUNCATE endpoint, batch, migration_user CASCADE").execute(connection).await?)
        })
    });
    emptied.await.unwrap();
}

/// Runs random histories, each in an empty database.
fn users_live_as_the_model_says(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = IS_ON_SERVER.get().then(|| runtime.block_on(service()));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let ran = runner.run(&prop::collection::vec(any_step(), 1..60), |steps| {
        runtime.block_on(async {
            let (_data, store) = if let Some((_, store)) = &server {
                empty(store).await;
                (None, store.clone())
            } else {
                let (data, store) = service().await;
                (Some(data), store)
            };
            let mut world = World::new(store).await;
            for step in steps {
                world.step(step).await;
                world.assert_holds().await;
            }
        });
        Ok(())
    });
    ran.unwrap();
}

mod users_live_as_the_model_says {
    #[test]
    fn file() {
        super::IS_ON_SERVER.set(false);
        super::users_live_as_the_model_says(48);
    }

    #[test]
    fn server() {
        super::IS_ON_SERVER.set(true);
        super::users_live_as_the_model_says(16);
    }
}
