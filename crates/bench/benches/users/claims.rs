//! Claims of 20 workers on a server, alone and while a batch is stopped and started again and again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use criterion::{BenchmarkId, Criterion, Throughput};
use jiff::Timestamp;
use mailhaul_migration::{BatchIntent, Guid, UserEvent};
use mailhaul_store::{Claim, ClaimLimits, Due, PassKind, Store};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::place::{NOW, Place, fill_by_store};

const CLAIMERS: u32 = 20;
/// Users of each of two batches. All of them are due.
const USERS: usize = 50_000;
/// Users of one claim.
const USERS_OF_CLAIM: u32 = 10;

/// Each claimer takes users once. Returns their number.
async fn claim_once(store: &Store, source: Guid, target: Option<Guid>, now: Timestamp) -> usize {
    let claim = Claim {
        now,
        owner: Guid::new_v4(),
        until: now,
        source_endpoint: source,
        target_endpoint: target,
        kinds: vec![PassKind::First],
        limit: USERS_OF_CLAIM,
        limits: ClaimLimits::default(),
    };
    let mut claimers = JoinSet::new();
    for _ in 0..CLAIMERS {
        let (store, claim) = (store.clone(), claim.clone());
        claimers.spawn(async move { store.jobs().claim(claim).await.unwrap().len() });
    }
    claimers.join_all().await.into_iter().sum()
}

/// Stops and starts a batch until `is_over`.
async fn disturb(store: Store, batch: Guid, now: Timestamp, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        for (event, due) in [(UserEvent::Stop, Due::Never), (UserEvent::Start, Due::At(now))] {
            let runs = |it: &mut mailhaul_migration::Batch| it.intent = BatchIntent::Run;
            store.batches().order(batch, event, now, due, runs).await.unwrap();
        }
    }
}

pub(crate) fn claims(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let now = Timestamp::from_millisecond(NOW).unwrap();
    let mut group = criterion.benchmark_group("claims");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(CLAIMERS * USERS_OF_CLAIM)));
    let place = Place::new(true);
    let store = runtime.block_on(place.open());
    let batch = runtime.block_on(fill_by_store(&store, 2, USERS)).pop().unwrap();
    let (source, target) = (batch.source_endpoint, batch.target_endpoint);
    for (name, is_disturbed) in [("alone", false), ("beside stops and starts of a batch", true)] {
        let is_over = Arc::new(AtomicBool::new(!is_disturbed));
        let disturber = runtime.spawn(disturb(store.clone(), batch.guid, now, Arc::clone(&is_over)));
        group.bench_function(BenchmarkId::new(name, 2 * USERS), |bencher| {
            bencher.iter(|| assert!(runtime.block_on(claim_once(&store, source, target, now)) > 0));
        });
        is_over.store(true, Ordering::Relaxed);
        runtime.block_on(disturber).unwrap();
    }
    runtime.block_on(store.close());
    group.finish();
}
