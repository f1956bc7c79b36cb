//! Runs one pass from one mailbox to another, for batches and for `migrate`.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mailhaul_engine::{
    Budget, Clock, Ledger, Mailbox as _, Pass, PassLimits, PassOptions, Progress, Report, Slots, Target,
};
use mailhaul_remotes::ImapMailbox;
use tokio_util::sync::CancellationToken;

/// Maximum bytes between all sources and targets of the process: bounds its memory.
pub(crate) const BUDGET: u32 = 8 << 20;

/// Clock of the machine that never goes back.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A pass must not wait longer if the machine's clock is set back.
        static BEGIN: LazyLock<(Duration, Instant)> = LazyLock::new(|| {
            (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now())
        });
        let (since_1970, begin) = *BEGIN;
        since_1970 + begin.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Parts of a pass beside its two mailboxes and its ledger.
pub(crate) struct OnePass<'a, P> {
    pub(crate) progress: &'a P,
    pub(crate) budget: &'a Budget,
    pub(crate) places: &'a Slots,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) limits: &'a PassLimits,
    pub(crate) options: &'a PassOptions,
}

impl<P: Progress> OnePass<'_, P> {
    /// Runs the pass, and signs out of both servers.
    pub(crate) async fn run<T: Target, L: Ledger>(
        self,
        mut source: ImapMailbox,
        mut target: T,
        ledger: &L,
    ) -> Report {
        let pass = Pass {
            source: &mut source,
            target: &mut target,
            ledger,
            progress: self.progress,
            clock: &SystemClock,
            budget: self.budget,
            slots: self.places,
            stop: self.stop,
            limits: self.limits,
            options: self.options,
        };
        let report = Box::pin(pass.run()).await;
        if self.limits.is_last {
            tokio::join!(source.leave(), target.leave());
        } else {
            tokio::join!(source.close(), target.close());
        }
        report
    }
}
