//! Random histories: three nodes on one server claim, release, order, divide and are lost, at the same time.

use std::collections::{BTreeMap, HashMap};

use mailhaul_migration::{Batch, BatchIntent, Endpoint, Guid, UserEvent};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::join;

use super::{at, batch, claim, end, endpoint, node, on_server, rows};
use crate::{
    Claim, Due, Lease, ShareKind, Store, StoreError, Wish,
    db::{columns::Cells, sql},
};

const USERS: usize = 8;
const CASES: u32 = 24;

#[derive(Clone, Debug)]
enum Step {
    Claim(u32),
    Release {
        lease: usize,
        event: UserEvent,
    },
    GiveBack,
    Order(UserEvent),
    /// The node is silent for longer than its lease, and begins again as another one.
    Lose,
    Recover,
    /// A worker of a lost node ends its pass.
    Wake(usize),
    Divide {
        wanted: u64,
        is_used: bool,
    },
}

#[derive(Clone, Debug)]
struct Round {
    steps: [Step; 3],
    limit: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let event = prop::sample::select(vec![UserEvent::Synced, UserEvent::Deferred, UserEvent::Failed]);
    prop_oneof![
        6 => (1..5u32).prop_map(Step::Claim),
        4 => (0..8usize, event).prop_map(|(lease, event)| Step::Release { lease, event }),
        1 => Just(Step::GiveBack),
        2 => prop::sample::select(vec![UserEvent::Start, UserEvent::Stop]).prop_map(Step::Order),
        2 => Just(Step::Lose),
        3 => Just(Step::Recover),
        2 => (0..8usize).prop_map(Step::Wake),
        5 => (0..12u64, any::<bool>()).prop_map(|(wanted, is_used)| Step::Divide { wanted, is_used }),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    ([step(), step(), step()], 1..12u64).prop_map(|(steps, limit)| Round { steps, limit })
}

/// A node, as it knows itself.
struct Member {
    store: Store,
    guid: Guid,
    leases: Vec<Lease>,
    /// Leases of the nodes that it was before.
    lost: Vec<Lease>,
    taken: u64,
    /// Claims of this round, and writes of lost workers that succeeded.
    claimed: Vec<Lease>,
    written: Vec<Lease>,
}

impl Member {
    async fn join(store: Store) -> Self {
        let guid = store.nodes().take_service(node()).await.unwrap().owner();
        let (leases, lost) = (Vec::new(), Vec::new());
        Self { store, guid, leases, lost, taken: 0, claimed: Vec::new(), written: Vec::new() }
    }

    async fn go(&mut self, step: &Step, site: &Site, second: i64, limit: u64) {
        match step {
            Step::Claim(most) => {
                // No step renews the lease.
                let until = at(1_000_000);
                let asked = Claim { limit: *most, until, ..claim(&site.source, self.guid, second) };
                let claimed = self.store.jobs().claim(asked).await.unwrap();
                self.claimed = claimed.iter().map(|it| it.lease).collect();
                self.leases.extend(&self.claimed);
            }
            Step::Release { lease, event } if *lease < self.leases.len() => {
                let lease = self.leases.remove(*lease);
                let released =
                    self.store.jobs().release(&lease, end(*event, second, Due::At(at(second)))).await;
                released.unwrap_or_else(|error| panic!("{lease:?} of a living node: {error}"));
            }
            Step::Wake(lease) if *lease < self.lost.len() => {
                let lease = self.lost.remove(*lease);
                let ended = end(UserEvent::Synced, second, Due::At(at(second)));
                match self.store.jobs().release(&lease, ended).await {
                    Ok(_) => self.written.push(lease),
                    Err(StoreError::LeaseLost { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::GiveBack => {
                self.store.jobs().give_back(at(second), self.guid).await.unwrap();
                self.leases.clear();
            }
            Step::Order(event) => {
                let due = if *event == UserEvent::Start { Due::At(at(second)) } else { Due::Never };
                let intent = if *event == UserEvent::Start { BatchIntent::Run } else { BatchIntent::Stop };
                let order =
                    self.store.batches().order(site.sales.guid, *event, at(second), due, move |batch| {
                        batch.intent = intent;
                    });
                order.await.unwrap();
            }
            Step::Lose => self.lose().await,
            Step::Recover => drop(self.store.jobs().recover(at(second), self.guid).await.unwrap()),
            Step::Divide { wanted, is_used } => {
                let endpoint = site.source.guid;
                let (kind, taken, wanted) = (ShareKind::Connections, self.taken, (*wanted).max(self.taken));
                let wish = Wish { endpoint, kind, limit, taken, wanted };
                let part = self.store.nodes().divide(self.guid, vec![wish]).await.unwrap()[0];
                let used = if *is_used { self.taken.max(part.may_begin) } else { self.taken / 2 };
                self.taken = used.min(part.may_begin.max(part.may_keep));
            }
            Step::Release { .. } | Step::Wake(_) => {}
        }
    }

    async fn lose(&mut self) {
        let node = self.guid;
        let silence = self.store.change_beside(move |connection| {
            Box::pin(async move {
                sql::query("UPDATE node SET until = 0 WHERE guid = ?").bind(node).execute(connection).await?;
                Ok(())
            })
        });
        silence.await.unwrap();
        self.lost.append(&mut self.leases);
        self.taken = 0;
        self.guid = self.store.nodes().take_service(super::node()).await.unwrap().owner();
    }
}

/// A batch, and what was seen of its users.
struct Site {
    source: Endpoint,
    sales: Batch,
    fences: HashMap<Guid, i64>,
    /// The last claim of each user.
    claims: HashMap<Guid, i64>,
    granted: u64,
}

/// A user's row: owner, fence and status.
type UserRow = (Guid, Option<Guid>, i64, String);

impl Site {
    async fn rows(&self, store: &Store) -> (Vec<UserRow>, u64) {
        let (endpoint, batch) = (self.source.guid, self.sales.guid);
        let read = store.read(move |connection| {
            Box::pin(async move {
                let users =
                    sql::query("SELECT guid, lease_owner, fence, status FROM migration_user WHERE batch = ?")
                        .bind(batch);
                let mut rows = Vec::new();
                for row in &users.fetch_all(&mut *connection).await? {
                    let cells = Cells(row);
                    let status: &str = cells.get("status")?;
                    rows.push((
                        cells.get("guid")?,
                        cells.get("lease_owner")?,
                        cells.get("fence")?,
                        status.to_owned(),
                    ));
                }
                let sum = "SELECT CAST(coalesce(sum(granted), 0) AS BIGINT) FROM share WHERE endpoint = ?";
                let granted: i64 = sql::query_scalar(sum).bind(endpoint).fetch_one(connection).await?;
                Ok((rows, granted.unsigned_abs()))
            })
        });
        read.await.unwrap()
    }

    async fn check(&mut self, members: &mut [Member; 3], limit: u64) {
        let (rows, granted) = self.rows(&members[0].store).await;
        let present: HashMap<Guid, (Option<Guid>, i64)> =
            rows.iter().map(|(user, owner, fence, _)| (*user, (*owner, *fence))).collect();
        for (user, _, fence, _) in &rows {
            let before = self.fences.insert(*user, *fence).unwrap_or_default();
            assert!(before <= *fence, "a fence went back from {before} to {fence}");
        }
        for member in members.iter_mut() {
            for lease in member.written.drain(..) {
                let claimed = self.claims.get(&lease.user).copied().unwrap_or_default();
                assert!(claimed <= lease.fence, "a lost worker wrote after the claim {claimed}: {lease:?}");
            }
        }
        for member in members.iter_mut() {
            for lease in member.claimed.drain(..) {
                let before = self.claims.insert(lease.user, lease.fence);
                assert!(
                    before.is_none_or(|before| before < lease.fence),
                    "one fence for two claims: {lease:?}"
                );
            }
            for lease in &member.leases {
                let row = present[&lease.user];
                assert_eq!(row, (Some(lease.owner), lease.fence), "a living node's user has another owner");
            }
        }
        let mut statuses: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, _, _, status) in &rows {
            *statuses.entry(status).or_default() += 1;
        }
        let counts = members[1].store.batches().get(&self.sales.name).await.unwrap().counts;
        for (status, count) in statuses {
            assert_eq!(counts.of(status.parse().unwrap()), count, "{status}");
        }
        // Above a lowered limit the parts only shrink.
        assert!(granted <= limit.max(self.granted), "{granted} granted of {limit}, {} before", self.granted);
        self.granted = granted;
    }
}

async fn live(stores: &[Store; 3], rounds: &[Round]) {
    // A history that failed leaves its own behind.
    let name = format!("history-{}", Guid::new_v4());
    let source = stores[0].endpoints().insert(endpoint(&name), None).await.unwrap();
    let names: Vec<String> = (0..USERS).map(|number| format!("{name}-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sales =
        stores[0].batches().insert(batch(&name, &source, BatchIntent::Run), rows(&names)).await.unwrap();
    let (fences, claims) = (HashMap::new(), HashMap::new());
    let mut site = Site { source, sales: sales.batch, fences, claims, granted: 0 };
    let [one, two, three] = stores.clone();
    let mut members = [Member::join(one).await, Member::join(two).await, Member::join(three).await];
    for (second, round) in (1..).map(|number| number * 100).zip(rounds) {
        let [first, other, third] = &mut members;
        join!(
            first.go(&round.steps[0], &site, second, round.limit),
            other.go(&round.steps[1], &site, second, round.limit),
            third.go(&round.steps[2], &site, second, round.limit),
        );
        site.check(&mut members, round.limit).await;
    }
    for member in &members {
        member.store.jobs().give_back(at(1), member.guid).await.unwrap();
        member.store.nodes().end(member.guid).await.unwrap();
    }
    stores[0].jobs().recover(at(1), Guid::new_v4()).await.unwrap();
    stores[0].batches().remove(site.sales.guid).await.unwrap();
    stores[0].endpoints().remove(site.source.guid).await.unwrap();
}

#[test]
fn three_nodes_keep_owners_fences_sums_and_limits() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (_home, stores) = runtime.block_on(async {
        let (home, one) = on_server().await;
        let stores = [one, home.open().await, home.open().await];
        (home, stores)
    });
    let config = ProptestConfig { cases: CASES, max_shrink_iters: 60, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let ran = runner.run(&prop::collection::vec(round(), 1..25), |rounds| {
        runtime.block_on(live(&stores, &rounds));
        Ok(())
    });
    ran.unwrap();
}
