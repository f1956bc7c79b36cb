//! Ports, limits and options for the steps of a pass, with one pair of connections.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    error::Error,
    ledger_state::{FolderState, LedgerRecord},
    limits::{slots::Slots, throttle::PassLimits},
    options::PassOptions,
    ports::{Clock, Ledger, Progress, Source, Target},
    transfer::pipe::Budget,
};

/// A round trip of this length or more means that a server is far away.
pub(crate) const FAR_ROUND_TRIP: Duration = Duration::from_millis(4);

/// The types of all ports, as one type parameter.
pub(crate) trait Ports {
    type Source: Source;
    type Target: Target;
    type Ledger: Ledger;
    type Progress: Progress;
    type Clock: Clock;
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Ports for (S, T, L, P, C) {
    type Source = S;
    type Target = T;
    type Ledger = L;
    type Progress = P;
    type Clock = C;
}

/// The ports, limits and options of a pass, with one connection to each mailbox.
pub(crate) struct SyncContext<'a, M: Ports> {
    pub(crate) source: &'a mut M::Source,
    pub(crate) target: &'a mut M::Target,
    pub(crate) ledger: &'a M::Ledger,
    pub(crate) progress: &'a M::Progress,
    pub(crate) clock: &'a M::Clock,
    pub(crate) budget: &'a Budget,
    pub(crate) slots: &'a Slots,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) limits: &'a PassLimits,
    pub(crate) options: &'a PassOptions,
}

impl<M: Ports> SyncContext<'_, M> {
    /// Writes the records, and applies those of this folder to its state.
    pub(crate) async fn record(
        &self,
        state: &mut FolderState,
        records: &[LedgerRecord],
    ) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        self.ledger.record(records).await?;
        state.apply_all(records);
        Ok(())
    }
}
