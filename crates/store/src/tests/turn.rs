//! The queries of the scheduler's turn: their answers against a scan of all users, and the indexes that they
//! search.

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_migration::{BatchIntent, Guid, UserStatus};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{at, batch, endpoint, service};
use crate::{
    Parking, PassKind, Store,
    admin::cutover,
    db::{
        columns::{millis, millis_if},
        sql,
    },
    jobs::{checks, events::UserSelection, leases, recovery},
};

/// The time of the turn. Times of users are before, at and after it.
const NOW: i64 = 2;
/// `CompleteAfter` and intent of each batch.
const BATCHES: [(Option<i64>, BatchIntent); 5] = [
    (Some(2), BatchIntent::Run),
    (Some(3), BatchIntent::Run),
    (None, BatchIntent::Run),
    (Some(1), BatchIntent::Stop),
    (None, BatchIntent::Created),
];

/// The values of a user that a turn reads.
#[derive(Clone, Debug)]
struct TurnUser {
    batch: usize,
    status: UserStatus,
    due: Option<i64>,
    lease: Option<i64>,
    check_due: Option<i64>,
    check_until: Option<i64>,
    complete_after: Option<i64>,
}

impl TurnUser {
    /// The pass that runs, or could be claimed.
    fn pass(&self) -> Option<PassKind> {
        PassKind::before(self.status).or(self.lease.map(|_| PassKind::First))
    }

    fn due(&self) -> Option<i64> {
        self.pass().and(self.due)
    }

    fn runs(&self) -> bool {
        BATCHES[self.batch].1 == BatchIntent::Run
    }

    fn is_claimable(&self) -> bool {
        self.runs()
            && self.lease.is_none()
            && self.pass().is_some()
            && self.due().is_some_and(|due| due <= NOW)
    }

    fn is_to_check(&self) -> bool {
        let is_due = self.check_due.is_some_and(|due| due <= NOW);
        let is_under_way = self.check_until.is_some_and(|until| until > NOW);
        is_due && !is_under_way && self.lease.is_none() && !self.is_claimable()
    }

    fn is_to_complete(&self) -> bool {
        let is_synced = matches!(self.status, UserStatus::Synced | UserStatus::IncrementalFailed);
        let time = self.complete_after.or(BATCHES[self.batch].0);
        is_synced && self.runs() && self.lease.is_none() && time.is_some_and(|time| time <= NOW)
    }
}

fn any_user() -> impl Strategy<Value = TurnUser> {
    use UserStatus as S;
    let statuses = vec![S::Queued, S::Synced, S::IncrementalFailed, S::Completing, S::Stopped, S::Failed];
    let time = || prop::option::of(0..5_i64);
    let rarely = || prop::option::weighted(0.2, 0..5_i64);
    let times = (time(), rarely(), time(), rarely(), rarely());
    (0..BATCHES.len(), prop::sample::select(statuses), times).prop_map(|(batch, status, times)| {
        let (due, lease, check_due, check_until, complete_after) = times;
        TurnUser { batch, status, due, lease, check_due, check_until, complete_after }
    })
}

/// A store with batches between three sources and two targets. One source is parked.
struct World {
    store: Store,
    batches: Vec<mailhaul_migration::Batch>,
    parked: Guid,
}

/// Source and target of a batch.
type Pair = (Guid, Option<Guid>);

impl World {
    async fn new(store: Store) -> Self {
        let mut endpoints = Vec::new();
        for name in ["A", "B", "C", "D"] {
            endpoints.push(store.endpoints().insert(endpoint(name), None).await.unwrap());
        }
        let mut batches = Vec::new();
        for (number, (complete_after, intent)) in BATCHES.into_iter().enumerate() {
            let mut new = batch(&format!("batch {number}"), &endpoints[number % 3], intent);
            new.target_endpoint = (number % 2 == 0).then_some(endpoints[3].guid);
            new.settings.complete_after = complete_after.map(at);
            batches.push(store.batches().insert(new, Vec::new()).await.unwrap().batch);
        }
        let parked = endpoints[1].guid;
        let parking = Parking { since: at(0), until: at(NOW + 1), reason: "busy".to_owned() };
        store.jobs().park(parked, |_| parking).await.unwrap();
        Self { store, batches, parked }
    }

    fn pair(&self, user: &TurnUser) -> Pair {
        let batch = &self.batches[user.batch];
        (batch.source_endpoint, batch.target_endpoint)
    }

    /// Replaces all users.
    async fn put(&self, users: &[TurnUser]) {
        let rows: Vec<_> =
            users.iter().map(|user| (user.clone(), self.batches[user.batch].clone())).collect();
        let put = self.store.change(|connection| {
            Box::pin(async move {
                sql::query("DELETE FROM migration_user").execute(&mut *connection).await?;
                for (number, (user, batch)) in (0_i64..).zip(rows) {
                    sql::query(
                        "INSERT INTO migration_user (batch, source_endpoint, guid, csv_row, email_address, user_name, \
                         target_user_name, status, status_since, initial_synced, pass, due, lease_owner, lease_until, \
                         check_due, check_until, complete_after) \
                         VALUES (?1, ?2, ?3, ?4, ?4, '', '', ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                    )
                    .bind(batch.guid)
                    .bind(batch.source_endpoint)
                    .bind(Guid::new_v4())
                    .bind(number)
                    .bind(user.status.to_string())
                    .bind(millis(at(0)))
                    .bind(user.pass().map(|pass| pass.to_string()))
                    .bind(millis_if(user.due().map(at)))
                    .bind(user.lease.map(|_| batch.guid))
                    .bind(millis_if(user.lease.map(at)))
                    .bind(millis_if(user.check_due.map(at)))
                    .bind(millis_if(user.check_until.map(at)))
                    .bind(millis_if(user.complete_after.map(at)))
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        });
        put.await.unwrap();
    }

    async fn assert_answers(&self, users: &[TurnUser]) {
        let now = at(NOW);
        let claimable = || users.iter().filter(|user| user.is_claimable());
        let seen = self.store.jobs().waiting(now).await.unwrap().into_iter();
        let seen: Vec<_> = seen.map(|it| ((it.source_endpoint, it.target_endpoint), it.kind)).collect();
        let expected: BTreeSet<_> = claimable().map(|user| (self.pair(user), user.pass().unwrap())).collect();
        assert_eq!(sorted(seen), sorted(expected));
        let expected = claimable().any(|user| self.pair(user).0 != self.parked);
        assert_eq!(self.store.jobs().has_waiting(now).await.unwrap(), expected);

        let dues = users.iter().filter(|user| user.runs() && user.lease.is_none()).map(TurnUser::due);
        let times = dues.chain(users.iter().map(|user| user.check_due)).flatten();
        let expected = times.filter(|due| *due > NOW).min();
        assert_eq!(self.store.jobs().next_due(now).await.unwrap(), expected.map(at));

        let mut expected: BTreeMap<(Pair, PassKind), u64> = BTreeMap::new();
        for user in users.iter().filter(|user| user.lease.is_some()) {
            *expected.entry((self.pair(user), user.pass().unwrap())).or_default() += 1;
        }
        let seen = self.store.jobs().running().await.unwrap().into_iter();
        let seen = seen.map(|it| (((it.source_endpoint, it.target_endpoint), it.kind), it.users));
        assert_eq!(sorted(seen), sorted(expected));

        let mut expected: BTreeMap<Pair, u64> = BTreeMap::new();
        for user in users.iter().filter(|user| user.check_until.is_some_and(|until| until > NOW)) {
            *expected.entry(self.pair(user)).or_default() += 1;
        }
        let seen = self.store.checks().under_way(now).await.unwrap().into_iter();
        let seen = seen.map(|it| ((it.source_endpoint, it.target_endpoint), it.users));
        assert_eq!(sorted(seen), sorted(expected));

        let expected: BTreeSet<Pair> =
            users.iter().filter(|user| user.is_to_check()).map(|user| self.pair(user)).collect();
        assert_eq!(sorted(self.store.checks().waiting(now).await.unwrap()), sorted(expected));

        // Last, because it changes the users.
        let expected = users.iter().filter(|user| user.is_to_complete()).count();
        assert_eq!(self.store.jobs().complete_due(now).await.unwrap(), expected as u64);
        let seen = self.store.read(|connection| {
            let statuses = sql::query_scalar("SELECT status FROM migration_user ORDER BY id");
            Box::pin(async move { Ok(statuses.fetch_all::<String>(connection).await?) })
        });
        let after =
            |user: &TurnUser| if user.is_to_complete() { UserStatus::Completing } else { user.status };
        let expected: Vec<_> = users.iter().map(|user| after(user).to_string()).collect();
        assert_eq!(seen.await.unwrap(), expected);
    }
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

#[test]
fn the_answers_are_those_of_a_scan_of_all_users() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_data, store) = runtime.block_on(service());
    let world = runtime.block_on(World::new(store));
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let users = prop::collection::vec(any_user(), 0..12);
    let run = runner.run(&users, |users| {
        runtime.block_on(async {
            world.put(&users).await;
            world.assert_answers(&users).await;
        });
        Ok(())
    });
    run.unwrap();
    runtime.block_on(world.store.close());
}

/// Returns each access of the statement to the table of users, as `SQLite` plans it.
async fn accesses(store: &Store, sql: String) -> Vec<String> {
    let plan = store.read(|connection| {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        Box::pin(async move { Ok(sql::query(sql).fetch_all(connection).await?) })
    });
    let steps = plan.await.unwrap().into_iter().map(|row| row.try_get::<String>("detail").unwrap());
    steps.filter(|step| step.contains(" migration_user ")).collect()
}

#[tokio::test]
async fn each_statement_of_a_turn_searches_an_index() {
    let (_data, store) = service().await;
    let to_complete = format!("SELECT 1 FROM migration_user WHERE {}", UserSelection::ToComplete.sql());
    let waiting = "user_waiting (batch=? AND pass=? AND due<?)";
    let table: [(String, &[&str]); 10] = [
        (leases::waiting(), &[waiting]),
        (leases::has_waiting(), &[waiting]),
        (
            leases::next_due(),
            &[
                "user_waiting (batch=? AND pass=? AND due>?)",
                "user_to_check (source_endpoint=? AND check_due>?)",
            ],
        ),
        (leases::RUNNING.to_owned(), &["user_leased (lease_until>?)"]),
        (
            checks::waiting(),
            &[
                "user_to_check_of_batch (batch=? AND check_due<?)",
                "user_to_check_by_due (batch=? AND due=? AND check_due<?)",
                "user_to_check_of_batch (batch=? AND check_due<?)",
                "user_to_check_by_due (batch=? AND due>?)",
            ],
        ),
        (cutover::DOMAINS.to_owned(), &["user_domain (batch=?)", "user_domain (batch=? AND email_domain>?)"]),
        (checks::UNDER_WAY.to_owned(), &["user_checking (check_until>?)"]),
        (recovery::END_OWN.to_owned(), &["user_leased (lease_until<?)"]),
        (recovery::END_OTHERS.to_owned(), &["user_leased (lease_until>?)"]),
        (
            to_complete,
            &[
                "INTEGER PRIMARY KEY (rowid=?)",
                "user_to_complete (batch=? AND complete_after<?)",
                "user_to_complete (batch=? AND complete_after=?)",
            ],
        ),
    ];
    for (sql, expected) in table {
        let seen = accesses(&store, sql.clone()).await;
        assert_eq!(seen.len(), expected.len(), "{sql}: {seen:?}");
        for (seen, expected) in seen.iter().zip(expected) {
            assert!(
                seen.starts_with("SEARCH migration_user USING ") && seen.ends_with(expected),
                "{sql}: {seen}"
            );
        }
    }
    store.close().await;
}
