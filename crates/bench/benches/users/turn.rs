//! The queries of a turn of the scheduler.

use criterion::{BenchmarkId, Criterion};
use jiff::Timestamp;
use mailhaul_migration::Guid;
use mailhaul_store::Store;
use tokio::runtime::Runtime;

use crate::place::{NOW, Place, STATES, fill, sizes};

/// Runs the queries of a turn that starts no user, and the one after it.
async fn turn(store: &Store, now: Timestamp, owner: Guid) {
    store.jobs().heartbeats(Vec::new()).await.unwrap();
    store.jobs().recover(now, owner).await.unwrap();
    store.give_back_space().await.unwrap();
    assert_eq!(store.jobs().complete_due(now).await.unwrap(), 0);
    store.endpoints().list().await.unwrap();
    store.config().get().await.unwrap();
    store.jobs().parked(now).await.unwrap();
    store.jobs().running().await.unwrap();
    store.checks().under_way(now).await.unwrap();
    store.jobs().waiting(now).await.unwrap();
    store.checks().waiting(now).await.unwrap();
    store.jobs().next_due(now).await.unwrap();
}

pub(crate) fn turns(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let now = Timestamp::from_millisecond(NOW).unwrap();
    let mut group = criterion.benchmark_group("turn");
    group.sample_size(10);
    for users in sizes() {
        for state in &STATES {
            for is_server in [false, true] {
                let place = Place::new(is_server);
                let store = runtime.block_on(place.open());
                runtime.block_on(fill(&store, &place, state, users));
                let owner = Guid::new_v4();
                let name = format!("{}, {}", state.name, place.name());
                group.bench_function(BenchmarkId::new(name, users), |bencher| {
                    bencher.iter(|| runtime.block_on(turn(&store, now, owner)));
                });
                runtime.block_on(store.close());
            }
        }
    }
    group.finish();
}
