//! Receives the messages of other nodes.

use std::time::Duration;

use mailhaul_store::{StoreError, Wake};

use super::{service_context::ServiceContext, workers::EndReason};

/// Wait after a failed attempt.
const RETRY_WAIT: Duration = Duration::from_secs(5);

/// Wakes the scheduler at each message. Returns only on a data directory, which has no other nodes.
pub(super) async fn listen(context: ServiceContext) {
    while context.store.is_on_server() {
        if let Err(error) = receive(&context).await {
            tracing::warn!("messages of other nodes are not received: {error}");
        }
        tokio::time::sleep(RETRY_WAIT).await;
    }
}

async fn receive(context: &ServiceContext) -> Result<(), StoreError> {
    let Some(mut wakes) = context.store.nodes().wakes().await? else { return Ok(()) };
    loop {
        if let Wake::Restart(batch) = wakes.next().await? {
            context.workers.end_batch(batch, EndReason::Preempted);
        }
        context.workers.must_look();
        context.workers.nudge();
    }
}
