//! Times that follow from the lifetime of a lease.

use std::time::Duration;

/// Lifetime of a lease without a heartbeat, and what must happen within it.
///
/// Invariant: a permit and the lifetime of unsent data together end before the lease, so that nothing of a worker reaches its
/// target after another one has taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaseTimes {
    /// Lifetime of a lease without a heartbeat.
    pub(super) lease: Duration,
    /// Time after a heartbeat was sent for which a worker may write to its target.
    pub(super) permit: Duration,
    /// Time for which the system keeps data that a target does not take.
    pub(super) unsent: Duration,
    /// Time between heartbeats. A change of the clock is noticed within this time.
    pub(super) heartbeat: Duration,
}

impl LeaseTimes {
    /// A minute becomes a permit of 40 s, 15 s for unsent data, and a heartbeat every 10 s.
    pub(super) fn new(lease: Duration) -> Self {
        Self { lease, permit: lease * 2 / 3, unsent: lease / 4, heartbeat: lease / 6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_worker_arrives_after_its_lease() {
        let seconds = Duration::from_secs;
        let minute = LeaseTimes::new(seconds(60));
        assert_eq!((minute.permit, minute.unsent, minute.heartbeat), (seconds(40), seconds(15), seconds(10)));
        for lease in [6, 15, 60, 600] {
            let times = LeaseTimes::new(seconds(lease));
            assert!(times.permit + times.unsent < times.lease, "{times:?}");
            assert!(times.heartbeat * 3 < times.permit, "two heartbeats may be lost: {times:?}");
        }
    }
}
