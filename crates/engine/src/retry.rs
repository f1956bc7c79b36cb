//! Retries after errors: reconnects, delays, and the point at which a pass gives up.

use std::time::Duration;

use mailhaul_mail::Retry;

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind},
    limits::throttle::MAX_INLINE_WAIT,
    ports::{Clock, Event, Mailbox, Progress},
};

/// Maximum retries of a step in a row without any progress.
const MAX_RETRIES: u32 = 5;

/// Maximum total delay at the server's own request without any progress. Budgets of servers are those of a day.
const MAX_REQUESTED_WAIT: Duration = Duration::from_hours(24);

/// Failures in a row, and the time spent waiting.
#[derive(Default)]
pub(crate) struct RetryCounter {
    failures: u32,
    waited: Duration,
}

impl RetryCounter {
    /// Resets the count after progress.
    pub(crate) fn renew(&mut self) {
        *self = Self::default();
    }
}

/// Waits and reconnects if that helps; else returns the error.
///
/// An error is also returned if the wait would be long and the caller repeats the pass later. A server that states a
/// delay gets it, for a day in all without progress.
pub(crate) async fn recover_from<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    error: Error,
    retries: &mut RetryCounter,
) -> Result<(), Error> {
    let is_crowded = error.kind == ErrorKind::TooManyConnections;
    let has_figure = matches!(error.retry, Retry::After(Some(_)));
    retries.failures = retries.failures.saturating_add(1);
    if cx.stop.is_cancelled() {
        return Err(error);
    }
    if retries.failures > MAX_RETRIES && (!has_figure || retries.waited >= MAX_REQUESTED_WAIT) {
        let is_asked_for = is_crowded || error.kind.asks_for_patience();
        let times = retries.failures - 1;
        let words = format_args!("the server asked for a delay {times} times without any progress");
        return Err(if is_asked_for { error.context(words) } else { error });
    }
    let doubling = 1u32 << (retries.failures - 1).min(8);
    let after = match error.retry {
        Retry::Never => return Err(error),
        Retry::After(Some(exactly)) => exactly,
        Retry::After(None) => Duration::from_secs(15) * doubling,
        Retry::Now if retries.failures == 1 => Duration::ZERO,
        Retry::Now => Duration::from_secs(1) * doubling,
    };
    let is_reserved = error.kind == ErrorKind::Ledger;
    let is_for_others = cx.limits.is_resumed && (after > MAX_INLINE_WAIT || is_crowded || is_reserved);
    if error.kind == ErrorKind::Interrupted || is_for_others {
        return Err(error);
    }
    retries.waited += after;
    cx.progress.event(Event::Retrying { error: &error, after });
    // Before the wait, because no server should keep an idle connection.
    cx.source.reconnect().await?;
    cx.target.reconnect().await?;
    tokio::select! {
        () = cx.clock.sleep(after) => Ok(()),
        () = cx.stop.cancelled() => Err(error),
    }
}
