//! Virtual time, which advances when a client waits, and when a server works.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Shorter waits take no time; they only let other tasks run.
const MIN_WAIT: Duration = Duration::from_millis(100);

/// A clock that its users advance. Copies are the same clock.
///
/// A wait advances the clock to its end at once, unless the clock is there already. Two waits of an hour from
/// the same moment take one hour.
#[derive(Clone, Default, Debug)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// Returns the time since the start.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Advances the clock by the time of some work.
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(millis(time), Ordering::SeqCst);
    }

    /// Advances the clock to this time, unless it is later already.
    pub fn advance_to(&self, moment: Duration) {
        self.0.fetch_max(millis(moment), Ordering::SeqCst);
    }
}

impl mailhaul_engine::Clock for VirtualClock {
    fn now(&self) -> Duration {
        Self::now(self)
    }

    async fn sleep(&self, time: Duration) {
        let end = self.now() + time;
        tokio::task::yield_now().await;
        if time >= MIN_WAIT {
            self.advance_to(end);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
