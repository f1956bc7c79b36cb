//! Accuracy of a server's RFC822.SIZE: exact on most servers, an estimate on some.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::{Mutex, MutexGuard};

/// Messages that prove something: with exact sizes, or complete with another size.
const ENOUGH: u32 = 3;
/// Exact sizes that outweigh one estimate.
const EXACT_BESIDE: u32 = 8;
/// One of this many messages is checked if sizes are estimates.
const SAMPLE: u32 = 32;
/// Tolerance beyond the checked estimates, in thousandths.
const SLACK: u64 = 50;

/// Shared by all connections to one mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes(Arc<SizeRecords>);

#[derive(Debug, Default)]
struct SizeRecords {
    counts: Mutex<Counts>,
    /// True if a request for bytes behind the end is in flight, was refused, or ended a connection.
    is_asking_behind: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    /// Messages with the reported size.
    exact: u32,
    /// Messages with another size that were found complete.
    whole: u32,
    /// Messages with another size that were not checked.
    unchecked: u32,
    /// Smallest and largest size of those found complete, in thousandths of the reported size.
    range: Option<(u64, u64)>,
}

impl Sizes {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock()
    }

    /// Records a message with the reported size.
    pub(crate) fn exact(&self) {
        let mut counts = self.counts();
        counts.exact = counts.exact.saturating_add(1);
    }

    /// Records a complete message with another size than reported.
    pub(crate) fn whole(&self, told: u64, length: u64) {
        let mut counts = self.counts();
        let share = share(told, length);
        let (least, greatest) = counts.range.unwrap_or((share, share));
        counts.range = Some((least.min(share), greatest.max(share)));
        counts.whole = counts.whole.saturating_add(1);
    }

    /// True if another size than reported is a reason for doubt.
    pub(crate) fn are_exact(&self) -> bool {
        let counts = self.counts();
        counts.exact >= ENOUGH && counts.exact / EXACT_BESIDE >= counts.whole + counts.unchecked
    }

    /// True while the accuracy of the sizes is unknown.
    pub(crate) fn are_unknown(&self) -> bool {
        let counts = self.counts();
        counts.exact < ENOUGH && counts.whole < ENOUGH
    }

    /// True if a message of this length is accepted without a check: sizes are estimates, and this one is
    /// as good as others.
    pub(crate) fn takes(&self, told: u64, length: u64) -> bool {
        let mut counts = self.counts();
        let differing = counts.whole + counts.unchecked;
        let is_usual = counts.range.is_some_and(|(least, greatest)| {
            (least.saturating_sub(SLACK)..=greatest.saturating_add(SLACK)).contains(&share(told, length))
        });
        let takes = counts.whole >= ENOUGH
            && differing > counts.exact
            && is_usual
            && !differing.is_multiple_of(SAMPLE);
        counts.unchecked += u32::from(takes);
        takes
    }

    /// True if bytes behind the end of a message can be requested: no such request was refused or ended a
    /// connection.
    pub(crate) fn may_ask_behind(&self) -> bool {
        !self.0.is_asking_behind.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn asked_behind(&self) {
        self.0.is_asking_behind.store(false, Ordering::Relaxed);
    }
}

fn share(told: u64, length: u64) -> u64 {
    length.saturating_mul(1000) / told.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_accepted_after_three_checks() {
        let sizes = Sizes::default();
        assert!(sizes.are_unknown() && !sizes.takes(1000, 900));
        for length in [900, 950, 1000] {
            sizes.whole(1000, length);
        }
        assert!(!sizes.are_unknown() && !sizes.are_exact());
        assert!(sizes.takes(2000, 1900) && !sizes.takes(2000, 1000), "half is worse than the others");
        assert!((0..100).any(|_| !sizes.takes(1000, 900)));
    }

    #[test]
    fn one_other_size_among_exact_ones_is_checked() {
        let sizes = Sizes::default();
        (0..8).for_each(|_| sizes.exact());
        assert!(sizes.are_exact() && !sizes.takes(1000, 900));
        (0..3).for_each(|_| sizes.whole(1000, 900));
        assert!(!sizes.are_exact() && !sizes.takes(1000, 900), "fewer differ than do not");
    }
}
