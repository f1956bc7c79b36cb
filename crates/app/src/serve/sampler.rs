//! Looks at the workers once a second, and saves each minute.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mailhaul_migration::Guid;
use mailhaul_store::{MinuteOfWork, PendingUsers, StoreError, Work};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{context::Context, service::throughput::WorkerNumbers};

const INTERVAL: Duration = Duration::from_secs(1);
/// Minutes that wait for a database that does not answer. Older ones are given up.
const MAX_UNSAVED: usize = 20_000;

/// Runs until shutdown, and then saves the rest.
pub(crate) async fn run(context: Arc<Context>, shutdown: CancellationToken) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unsaved = Vec::new();
    let mut last_minute = context.now().as_second() / 60;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let second = look(&context);
        if second / 60 != last_minute {
            last_minute = second / 60;
            save(&context, &mut unsaved, second - second.rem_euclid(60)).await;
        }
    }
}

/// Saves what is not saved yet, at the end of the process.
pub(crate) async fn finish(context: &Context) {
    look(context);
    save(context, &mut Vec::new(), i64::MAX).await;
}

/// Adds the work since the last look. Returns the time of this one.
pub(crate) fn look(context: &Context) -> i64 {
    let second = context.now().as_second();
    let workers = context.workers.take_ended().into_iter().map(|(user, worker)| (user, worker, true));
    let running = context.workers.all().into_iter().map(|(user, worker)| (user, worker, false));
    let numbers = workers.chain(running).filter(|(_, worker, _)| !worker.is_check);
    let numbers: Vec<WorkerNumbers> = numbers
        .map(|(user, worker, has_ended)| {
            let statistics = worker.tally.statistics();
            WorkerNumbers {
                user,
                batch: worker.batch,
                source: worker.source.endpoint,
                target: worker.target.as_ref().map(|target| target.endpoint),
                bytes: statistics.pass_bytes,
                messages: statistics.pass_items,
                has_ended,
            }
        })
        .collect();
    context.throughput.look(&numbers, second);
    second
}

/// Saves the work of minutes before this second. What cannot be saved is kept for the next time.
async fn save(context: &Context, unsaved: &mut Vec<(Guid, i64, Work)>, before: i64) {
    unsaved.extend(context.throughput.take_unsaved(before));
    let newest = unsaved.len().saturating_sub(MAX_UNSAVED);
    unsaved.drain(..newest);
    match save_all(context, unsaved).await {
        Ok(()) => unsaved.clear(),
        Err(error) => tracing::warn!("the throughput of the last minute was not saved: {error}"),
    }
}

async fn save_all(context: &Context, unsaved: &[(Guid, i64, Work)]) -> Result<(), StoreError> {
    if unsaved.is_empty() {
        return Ok(());
    }
    let mut pending: HashMap<Guid, PendingUsers> = HashMap::new();
    for found in context.store.throughput().pending_users().await? {
        for owner in
            [Some(found.batch), Some(found.source_endpoint), found.target_endpoint].into_iter().flatten()
        {
            let sum = pending.entry(owner).or_default();
            sum.waiting += found.users.waiting;
            sum.failed += found.users.failed;
        }
    }
    let minutes = unsaved.iter().map(|(owner, begun, work)| MinuteOfWork {
        owner: *owner,
        begun: *begun,
        work: *work,
        pending: pending.get(owner).copied().unwrap_or_default(),
    });
    context.store.throughput().add_work(minutes.collect(), context.now()).await
}
