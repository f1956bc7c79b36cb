//! Choice of copies that are read back: few enough to be cheap, and unpredictable for a server.

use std::sync::atomic::{AtomicU64, Ordering};

use mailhaul_mail::{Digests, Uid, UidSet};

/// Bytes that a pass reads back in any case: all of a small mailbox.
const BASE_BYTES: u64 = 64 << 10;
/// One byte of this number of copied bytes is read back in addition.
const SHARE: u64 = 100;
/// A copy that can be compared with what was sent.
pub(crate) struct ToCompare {
    /// UID on the target.
    pub(crate) uid: Uid,
    /// Digests of the bytes that were sent.
    pub(crate) digests: Digests,
    /// Bytes that were sent.
    pub(crate) size: u64,
}

/// Bytes that the pass may still read back, for all its connections.
#[derive(Debug)]
pub struct ReadBack {
    bytes: AtomicU64,
}

impl Default for ReadBack {
    fn default() -> Self {
        Self { bytes: AtomicU64::new(BASE_BYTES) }
    }
}

impl ReadBack {
    /// Chooses copies to read back, and subtracts their bytes.
    ///
    /// The choice follows the digests: no server can predict it.
    pub(crate) fn choose(&self, copies: impl Iterator<Item = ToCompare>) -> UidSet {
        let mut copies: Vec<ToCompare> = copies.collect();
        let total: u64 = copies.iter().map(|copy| copy.size).sum();
        self.bytes.fetch_add(total / SHARE, Ordering::Relaxed);
        copies.sort_by_key(|copy| *copy.digests.whole.as_bytes());
        let take = |size: u64| {
            let less = |left: u64| left.checked_sub(size);
            self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
        };
        copies.into_iter().filter(|copy| take(copy.size)).map(|copy| copy.uid).collect()
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Digest;

    use super::*;

    fn copies(count: u32, size: u64) -> impl Iterator<Item = ToCompare> {
        (1..=count).map(move |number| {
            let digest = Digest::of(&number.to_be_bytes());
            let digests = Digests { whole: digest, text: digest };
            ToCompare { uid: Uid::new(number).unwrap(), digests, size }
        })
    }

    #[test]
    fn all_of_a_small_mailbox_and_a_share_of_a_large_one() {
        assert_eq!(ReadBack::default().choose(copies(60, 1_000)).len(), 60);
        let large = ReadBack::default();
        assert_eq!(large.choose(copies(10_000, 1_000)).len(), 65 + 100);
        assert_eq!(large.choose(copies(10_000, 1_000)).len(), 100);
        // The rest of the budget is smaller than one message.
        assert_eq!(ReadBack::default().choose(copies(3, 1 << 20)).len(), 0);
    }
}
