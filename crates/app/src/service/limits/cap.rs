//! Number of connections that a server accepts, learned from its refusals. Pure.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_store::{LearnedLimit, LearnedLimits};

/// Time without a refusal after which one more connection is tried.
const RECOVERY_TIME: Duration = Duration::from_mins(10);

/// Learned limits of one server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cap {
    /// Active mailboxes, with their further connection pairs.
    mailboxes: Learned,
    /// Connection pairs of one mailbox.
    pairs: Learned,
}

#[derive(Clone, Copy, Debug, Default)]
struct Learned(Option<(usize, Timestamp)>);

impl Learned {
    fn at(self, now: Timestamp) -> Option<usize> {
        let (limit, since) = self.0?;
        let recovered = now.as_second().saturating_sub(since.as_second()).max(0).cast_unsigned()
            / RECOVERY_TIME.as_secs();
        Some(limit.saturating_add(usize::try_from(recovered).unwrap_or(usize::MAX)))
    }

    fn refused(&mut self, tried: usize, now: Timestamp) {
        let known = self.at(now).unwrap_or(usize::MAX);
        self.0 = Some((known.min(tried).saturating_sub(1).max(1), now));
    }
}

impl Cap {
    /// Learns that a mailbox was refused its first connection. `active` counts it.
    ///
    /// Further pairs of other mailboxes use up connections, so they are limited too. Returns true if
    /// nothing was learned for a while, so that the refusal should be logged.
    pub(crate) fn mailbox_refused(&mut self, active: usize, now: Timestamp) -> bool {
        let is_news = !self.has_learned_lately(now);
        self.mailboxes.refused(active, now);
        self.pairs.refused(1, now);
        is_news
    }

    /// Learns that a mailbox was refused a further pair. Returns true as `mailbox_refused` does.
    pub(crate) fn pair_refused(&mut self, now: Timestamp) -> bool {
        let is_news = !self.has_learned_lately(now);
        self.pairs.refused(1, now);
        is_news
    }

    fn has_learned_lately(&self, now: Timestamp) -> bool {
        let lately = |learned: Learned| learned.0.is_some_and(|(limit, _)| learned.at(now) == Some(limit));
        lately(self.mailboxes) || lately(self.pairs)
    }

    /// Returns the limits for other nodes.
    pub(crate) fn shared(self) -> LearnedLimits {
        let limit = |learned: Learned| learned.0.map(|(limit, since)| (limit as u64, since));
        LearnedLimits { mailboxes: limit(self.mailboxes), pairs: limit(self.pairs) }
    }

    /// Takes over the limits of other nodes.
    pub(crate) fn of_shared(shared: LearnedLimits) -> Self {
        let limit = |limit: LearnedLimit| {
            Learned(limit.map(|(limit, since)| (usize::try_from(limit).unwrap_or(usize::MAX), since)))
        };
        Self { mailboxes: limit(shared.mailboxes), pairs: limit(shared.pairs) }
    }

    /// Maximum number of active mailboxes; `None` if nothing was learned.
    pub(crate) fn mailboxes(&self, now: Timestamp) -> Option<usize> {
        self.mailboxes.at(now)
    }

    /// Maximum number of connection pairs of a mailbox; `None` if nothing was learned.
    pub(crate) fn pairs(&self, now: Timestamp) -> Option<usize> {
        self.pairs.at(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn limits_of_other_nodes_are_the_same() {
        let mut cap = Cap::default();
        assert_eq!(Cap::of_shared(cap.shared()).mailboxes(at(0)), None);
        cap.mailbox_refused(5, at(3));
        let other = Cap::of_shared(cap.shared());
        assert_eq!((other.mailboxes(at(13)), other.pairs(at(13))), (Some(5), Some(2)));
    }

    #[test]
    fn ten_mailboxes_at_a_server_that_takes_two_become_two() {
        let mut cap = Cap::default();
        assert_eq!((cap.mailboxes(at(0)), cap.pairs(at(0))), (None, None));
        // Each refused mailbox ends, so the next refusal counts one fewer; or all are refused at once.
        for active in [(3..=10).rev().collect::<Vec<_>>(), vec![10; 8]] {
            let mut cap = Cap::default();
            let logged: Vec<bool> = active.iter().map(|active| cap.mailbox_refused(*active, at(0))).collect();
            assert_eq!((cap.mailboxes(at(0)), cap.pairs(at(0))), (Some(2), Some(1)));
            assert_eq!(logged.iter().filter(|logged| **logged).count(), 1, "it is logged once");
        }
        for _ in 0..20 {
            cap.mailbox_refused(1, at(0));
        }
        assert_eq!(cap.mailboxes(at(0)), Some(1), "never none");
    }

    #[test]
    fn after_a_while_one_more_is_tried() {
        let mut cap = Cap::default();
        cap.mailbox_refused(5, at(0));
        assert_eq!(
            (cap.mailboxes(at(9)), cap.mailboxes(at(10)), cap.mailboxes(at(35))),
            (Some(4), Some(5), Some(7))
        );
        assert_eq!(cap.pairs(at(35)), Some(4));
        // A clock that was set back.
        assert_eq!(cap.mailboxes(at(-100)), Some(4));
        // After another refusal the limit and the time start again.
        assert!(cap.mailbox_refused(5, at(35)));
        assert_eq!((cap.mailboxes(at(35)), cap.mailboxes(at(44))), (Some(4), Some(4)));
    }

    #[test]
    fn a_refused_pair_limits_no_other_mailbox() {
        let mut cap = Cap::default();
        assert!(cap.pair_refused(at(0)));
        assert!(!cap.pair_refused(at(0)));
        assert_eq!((cap.mailboxes(at(0)), cap.pairs(at(0)), cap.pairs(at(10))), (None, Some(1), Some(2)));
    }
}
