//! The outbox: sends notifications by mail and webhook, and watches for events that no other part tells.

mod letter;
mod pauses;
mod receivers;
mod smtp;
mod watch;
pub(crate) mod webhook;

use std::time::Duration;

use futures_util::future::join_all;
use mailhaul_migration::Guid;
use mailhaul_store::StoreError;
use tokio_util::sync::CancellationToken;

pub(crate) use self::receivers::Receivers;
pub(super) use self::watch::watch;
#[cfg(test)]
pub(super) use self::{pauses::Pauses, watch::look};
use crate::service::service_context::ServiceContext;

/// Time between two looks for deliveries that are due.
const TURN: Duration = Duration::from_secs(2);
/// Deliveries that are sent at the same time.
const AT_ONCE: u32 = 8;

/// Sends what is due, as this node, until `stop` is cancelled. What is being sent then is sent to its end.
pub(super) async fn send(context: ServiceContext, sender: Guid, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match send_due(&context, sender).await {
            // More may be due.
            Ok(sent) if sent > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!("notifications were not sent: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(TURN) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Sends deliveries that are due. Returns their number.
async fn send_due(context: &ServiceContext, sender: Guid) -> Result<usize, StoreError> {
    let outbox = context.store.outbox();
    let claimed = outbox.claim(sender, context.store.now(), AT_ONCE).await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let receivers = Receivers::load(&context.store).await?;
    let deliveries = claimed.iter().map(|delivery| {
        let receivers = &receivers;
        async move {
            let sent = receivers.send(&delivery.notification, delivery.way, &delivery.recipient).await;
            if let Err(words) = &sent {
                tracing::warn!(
                    "the notification {} was not sent to {} (try {}): {words}",
                    delivery.notification.event,
                    delivery.recipient,
                    delivery.tries
                );
            }
            outbox.record(delivery, sender, sent.map(drop), context.store.now()).await
        }
    });
    for recorded in join_all(deliveries).await {
        recorded?;
    }
    Ok(claimed.len())
}
