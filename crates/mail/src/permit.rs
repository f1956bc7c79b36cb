//! Permit to write to a target. Pure: the caller passes the clock.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Error of a write without a valid permit.
pub const EXPIRED_PERMIT: &str =
    "the permit to write has expired, because this process was stopped or could not renew its lease";

/// Clock of permits: the time since a fixed moment. It must also count time for which the machine is suspended.
pub type PermitClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Right to write to a target until a deadline. Clones share it.
///
/// The owner renews it while no other process can have taken over. A process that was stopped for longer finds its
/// permit expired. Invariant: an expired permit stays expired, so that data from before a stop is never sent after it.
#[derive(Clone)]
pub struct Permit(Arc<Shared>);

struct Shared {
    clock: PermitClock,
    /// Nanoseconds of the clock.
    deadline: AtomicU64,
    unsent_lifetime: Option<Duration>,
}

impl Permit {
    /// Returns a permit that is valid for this time after `since`, a time of the clock.
    pub fn new(clock: PermitClock, since: Duration, validity: Duration) -> Self {
        Self::with_unsent_lifetime(clock, since, validity, None)
    }

    /// Returns a permit as [`Permit::new`], with a time after which the system discards data that a target does not take.
    ///
    /// It is for owners whose work another machine takes over: this data must be gone by then.
    pub fn with_unsent_lifetime(
        clock: PermitClock,
        since: Duration,
        validity: Duration,
        unsent_lifetime: Option<Duration>,
    ) -> Self {
        let deadline = AtomicU64::new(nanos(since + validity));
        Self(Arc::new(Shared { clock, deadline, unsent_lifetime }))
    }

    /// Returns the time for which the system keeps data that a target does not take; `None` for the system's own.
    pub fn unsent_lifetime(&self) -> Option<Duration> {
        self.0.unsent_lifetime
    }

    /// Moves the deadline to this time after `since`, and never back. Returns false if the permit has expired.
    pub fn renew(&self, since: Duration, validity: Duration) -> bool {
        let next = nanos(since + validity);
        let renewed = |deadline| (self.now() < deadline).then(|| next.max(deadline));
        self.0.deadline.fetch_update(Ordering::AcqRel, Ordering::Acquire, renewed).is_ok()
    }

    /// Ends the permit before its deadline.
    pub fn end(&self) {
        self.0.deadline.store(0, Ordering::Release);
    }

    /// True before the deadline.
    pub fn is_valid(&self) -> bool {
        self.remaining().is_some()
    }

    /// Returns the time until the deadline; `None` after it.
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.0.deadline.load(Ordering::Acquire).saturating_sub(self.now());
        (left > 0).then(|| Duration::from_nanos(left))
    }

    fn now(&self) -> u64 {
        nanos((self.0.clock)())
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("remaining", &self.remaining()).finish()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The permit that new connections take. Clones share it.
///
/// A connection keeps the permit with which it was opened.
#[derive(Clone, Debug)]
pub struct CurrentPermit(Arc<Mutex<Permit>>);

impl CurrentPermit {
    pub fn get(&self) -> Permit {
        self.with(|permit| permit.clone())
    }

    /// Renews the permit from now on. An expired one is replaced, for connections that are opened later.
    pub fn renew_or_replace(&self, validity: Duration) {
        self.with(|permit| {
            let clock = Arc::clone(&permit.0.clock);
            let now = clock();
            if !permit.renew(now, validity) {
                *permit = Permit::with_unsent_lifetime(clock, now, validity, permit.unsent_lifetime());
            }
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Permit) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<Permit> for CurrentPermit {
    fn from(permit: Permit) -> Self {
        Self(Arc::new(Mutex::new(permit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that shows these seconds.
    fn clock(second: u64) -> (PermitClock, Arc<AtomicU64>) {
        let shown = Arc::new(AtomicU64::new(second));
        let read = Arc::clone(&shown);
        (Arc::new(move || Duration::from_secs(read.load(Ordering::SeqCst))), shown)
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_permit_counts_from_before_it_was_asked_for() {
        let (clock, now) = clock(107);
        let permit = Permit::new(clock, seconds(100), seconds(40));
        assert_eq!(permit.remaining(), Some(seconds(33)));
        now.store(139, Ordering::SeqCst);
        assert!(permit.clone().renew(seconds(130), seconds(40)));
        assert_eq!(permit.remaining(), Some(seconds(31)));
        // An answer that was delayed does not take time away.
        assert!(permit.renew(seconds(120), seconds(40)));
        assert_eq!(permit.remaining(), Some(seconds(31)));
    }

    #[test]
    fn an_expired_permit_stays_expired() {
        let (clock, now) = clock(100);
        let permit = Permit::new(clock, seconds(100), seconds(40));
        now.store(140, Ordering::SeqCst);
        assert!(!permit.is_valid());
        assert!(!permit.renew(seconds(140), seconds(40)));
        assert!(!permit.is_valid());
    }

    #[test]
    fn an_ended_permit_is_not_renewed() {
        let (clock, _now) = clock(100);
        let permit = Permit::new(clock, seconds(100), seconds(40));
        permit.clone().end();
        assert!(!permit.is_valid() && !permit.renew(seconds(100), seconds(40)));
        assert_eq!(permit.remaining(), None);
    }

    #[test]
    fn a_permit_that_was_asked_for_long_ago_is_expired() {
        let (clock, _now) = clock(141);
        assert!(!Permit::new(clock, seconds(100), seconds(40)).is_valid());
    }

    #[test]
    fn only_later_connections_take_the_permit_after_a_stop() {
        let (clock, now) = clock(100);
        let current = CurrentPermit::from(Permit::new(clock, seconds(100), seconds(3)));
        let before = current.get();
        now.store(102, Ordering::SeqCst);
        current.renew_or_replace(seconds(3));
        assert_eq!(before.remaining(), Some(seconds(3)));
        now.store(105, Ordering::SeqCst);
        current.renew_or_replace(seconds(3));
        assert!(!before.is_valid(), "the process was stopped");
        assert!(current.get().is_valid());
    }
}
