//! A hundred users from the middle of a sorted list.

use criterion::{BenchmarkId, Criterion};
use mailhaul_migration::{UserOrder, UserStatus};
use mailhaul_store::{UserFilter, WindowPlace};
use tokio::runtime::Runtime;

use crate::place::{Place, fill_by_store};

/// Users of the batch that is looked at.
const USERS: usize = 50_000;

pub(crate) fn windows(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("windows");
    group.sample_size(10);
    for is_server in [false, true] {
        let place = Place::new(is_server);
        let store = runtime.block_on(place.open());
        let batch = runtime.block_on(fill_by_store(&store, 1, USERS)).pop().unwrap();
        let of_batch = UserFilter { batch: Some(batch.guid), ..UserFilter::default() };
        let queued = UserFilter { statuses: vec![UserStatus::Queued], ..of_batch.clone() };
        let failed = UserFilter { statuses: vec![UserStatus::Failed], ..of_batch.clone() };
        let search = UserFilter { search: Some("user49".to_owned()), ..of_batch.clone() };
        let lists = [
            ("by creation", of_batch.clone(), UserOrder::Creation),
            ("by address", of_batch.clone(), UserOrder::EmailAddress),
            ("by bytes", of_batch, UserOrder::BytesTransferred),
            ("queued, by address", queued, UserOrder::EmailAddress),
            ("failed", failed, UserOrder::Creation),
            ("searched", search, UserOrder::EmailAddress),
        ];
        for (name, filter, order) in lists {
            let at = WindowPlace { order, is_descending: false, offset: 25_000, limit: 100 };
            group.bench_function(BenchmarkId::new(name, place.name()), |bencher| {
                bencher.iter(|| runtime.block_on(store.users().window(&filter, at)).unwrap().total);
            });
        }
        runtime.block_on(store.close());
    }
    group.finish();
}
