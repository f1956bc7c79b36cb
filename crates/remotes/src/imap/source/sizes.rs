//! What a server's RFC822.SIZE is worth: exact on most servers, an estimate of all messages on some.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Messages that prove something: of exact sizes, or of messages that are whole although the size differs.
const ENOUGH: u32 = 3;
/// One size that is an estimate among so many exact ones takes nothing from that.
const EXACT_BESIDE: u32 = 8;
/// Where sizes are estimates, one of so many messages is checked.
const SAMPLE: u32 = 32;
/// Parts in a thousand by which a size may be worse than the estimates that were checked.
const SLACK: u64 = 50;

/// Shared by all connections to one mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes(Arc<SizeRecords>);

#[derive(Debug, Default)]
struct SizeRecords {
    counts: Mutex<Counts>,
    /// A question for what lies behind the end of a message is under way, was refused, or ended a connection.
    is_asking_behind: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    /// Messages that were as large as told.
    exact: u32,
    /// Messages that were not, and were found whole.
    whole: u32,
    /// Messages that were not, and were not checked.
    unchecked: u32,
    /// Least and greatest size of those found whole, in thousandths of what was told.
    range: Option<(u64, u64)>,
}

impl Sizes {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message was as large as told.
    pub(crate) fn exact(&self) {
        let mut counts = self.counts();
        counts.exact = counts.exact.saturating_add(1);
    }

    /// A message was found whole although another size was told.
    pub(crate) fn whole(&self, told: u64, length: u64) {
        let mut counts = self.counts();
        let share = share(told, length);
        let (least, greatest) = counts.range.unwrap_or((share, share));
        counts.range = Some((least.min(share), greatest.max(share)));
        counts.whole = counts.whole.saturating_add(1);
    }

    /// True where another size than told is a reason to doubt the message.
    pub(crate) fn are_exact(&self) -> bool {
        let counts = self.counts();
        counts.exact >= ENOUGH && counts.exact / EXACT_BESIDE >= counts.whole + counts.unchecked
    }

    /// True while nothing is known of the sizes that this server tells.
    pub(crate) fn are_unknown(&self) -> bool {
        let counts = self.counts();
        counts.exact < ENOUGH && counts.whole < ENOUGH
    }

    /// True if a message of this length may be taken without a check: the sizes are estimates, and this one is no worse than
    /// others.
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

    /// True where it can be asked what lies behind the end of a message: that question was not refused, and no connection
    /// ended at it.
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
    fn estimates_are_taken_after_three_checks_and_one_in_a_while_is_checked() {
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
