//! Time that passes when somebody waits, and when a server works.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Shorter waits let others have a turn, and take no time.
const SHORTEST: Duration = Duration::from_millis(100);

/// A clock that its users move. Copies are the same clock. Who waits moves it to the end of the wait at once, unless it
/// is there already: two who wait for an hour from the same moment on wait for one hour.
#[derive(Clone, Default, Debug)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// Since its beginning.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// So much work was done.
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(millis(time), Ordering::SeqCst);
    }

    /// It is at least this late.
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
        if time >= SHORTEST {
            self.advance_to(end);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
