//! Permits of workers: after a stop of the process, results of a worker do not count.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_permit_is_cut_as_one_that_lost_its_lease() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb"], 300).await;
    let slow = Proxy::start(server.port(), Faults { rate: Some(20_000), ..Faults::default() });
    let mut site = Site::new(directory.path(), slow.port(), 5).await;
    site.batch(&["annb"]).await;
    let second = Arc::new(AtomicU64::new(1_000));
    let shown = Arc::clone(&second);
    let mut place = site.context.service_context();
    place.permit_clock = Arc::new(move || Duration::from_secs(shown.load(Ordering::SeqCst)));
    site.run_in(place);
    site.wait_for("annb", UserStatus::Syncing).await;
    let (user, worker) = site.context.workers.all().remove(0);
    assert_eq!(worker.permit.remaining(), Some(Duration::from_secs(40)));
    assert_eq!(worker.end_reason(), None);
    // The process was stopped for so long that another one could have taken over.
    second.store(1_040, Ordering::SeqCst);
    for _ in 0..600 {
        if site.context.workers.all().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(worker.end_reason(), Some(EndReason::LeaseLost));
    assert!(site.context.workers.statistics(user).is_none(), "it runs on");
    // Nothing is released: recovery ends the lease.
    assert_eq!(site.status("annb").await, UserStatus::Syncing);
    site.end().await;
}
