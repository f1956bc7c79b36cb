//! Retries after errors: reconnects, delays, and the point at which a pass gives up.

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind},
    limits::throttle::MAX_INLINE_WAIT,
    ports::{Clock, Event, Mailbox, Progress},
};
use mailhaul_mail::Retry;
use std::time::Duration;

/// How often in a row a step is tried again without anything gained in between.
const MAX_RETRIES: u32 = 5;

/// Longest time in all that a server is left alone, at its own request, with nothing gained in between: budgets of servers
/// are those of a day.
const MAX_REQUESTED_WAIT: Duration = Duration::from_hours(24);

/// How often something failed in a row, and how long was waited.
#[derive(Default)]
pub(crate) struct RetryCounter {
    failures: u32,
    waited: Duration,
}

impl RetryCounter {
    /// Something was gained: the count begins anew.
    pub(crate) fn renew(&mut self) {
        *self = Self::default();
    }
}

/// Waits and reconnects where that helps; gives the error back where it does not, or where it would take long and
/// somebody takes the mailbox up again then. A server that says how long it wants to be left alone gets that, for a day
/// in all if nothing is gained.
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
        let words = format_args!("the server asked for patience {times} times, and nothing was gained");
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
    // Before the wait, in which neither server is to keep a connection for nothing.
    cx.source.reconnect().await?;
    cx.target.reconnect().await?;
    tokio::select! {
        () = cx.clock.sleep(after) => Ok(()),
        () = cx.stop.cancelled() => Err(error),
    }
}
