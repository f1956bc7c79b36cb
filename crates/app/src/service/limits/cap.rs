//! How many connections a server puts up with, learned from its refusals. A pure decision.

use std::time::Duration;

use jiff::Timestamp;

/// After so long without a refusal one more is tried.
const EASE: Duration = Duration::from_mins(10);

/// What was learned of one server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cap {
    /// Mailboxes under way at once, their further lanes included.
    mailboxes: Learned,
    /// Lanes of one mailbox.
    lanes: Learned,
}

#[derive(Clone, Copy, Debug, Default)]
struct Learned(Option<(usize, Timestamp)>);

impl Learned {
    fn at(self, now: Timestamp) -> Option<usize> {
        let (most, since) = self.0?;
        let eased = now.as_second().saturating_sub(since.as_second()).max(0).cast_unsigned() / EASE.as_secs();
        Some(most.saturating_add(usize::try_from(eased).unwrap_or(usize::MAX)))
    }

    fn refused(&mut self, tried: usize, now: Timestamp) {
        let known = self.at(now).unwrap_or(usize::MAX);
        self.0 = Some((known.min(tried).saturating_sub(1).max(1), now));
    }
}

impl Cap {
    /// A mailbox was refused its first connection when so many were under way with it. What it could have had, further
    /// lanes of others have: they are given up too. True where nothing was learned for a while, so that it should be told.
    pub(crate) fn mailbox_refused(&mut self, under_way: usize, now: Timestamp) -> bool {
        let is_news = !self.has_learned_lately(now);
        self.mailboxes.refused(under_way, now);
        self.lanes.refused(1, now);
        is_news
    }

    /// A mailbox was refused a further lane: for now none has any. True as above.
    pub(crate) fn lane_refused(&mut self, now: Timestamp) -> bool {
        let is_news = !self.has_learned_lately(now);
        self.lanes.refused(1, now);
        is_news
    }

    fn has_learned_lately(&self, now: Timestamp) -> bool {
        let lately = |it: Learned| it.0.is_some_and(|(most, _)| it.at(now) == Some(most));
        lately(self.mailboxes) || lately(self.lanes)
    }

    /// Mailboxes at once, at most; `None` where nothing is known.
    pub(crate) fn mailboxes(&self, now: Timestamp) -> Option<usize> {
        self.mailboxes.at(now)
    }

    /// Lanes of a mailbox, at most.
    pub(crate) fn lanes(&self, now: Timestamp) -> Option<usize> {
        self.lanes.at(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn ten_mailboxes_at_a_server_that_takes_two_become_two() {
        let mut cap = Cap::default();
        assert_eq!((cap.mailboxes(at(0)), cap.lanes(at(0))), (None, None));
        // Each that is refused ends, and the next refusal comes with one fewer under way; or all come at once.
        for under_way in [(3..=10).rev().collect::<Vec<_>>(), vec![10; 8]] {
            let mut cap = Cap::default();
            let told: Vec<bool> = under_way.iter().map(|it| cap.mailbox_refused(*it, at(0))).collect();
            assert_eq!((cap.mailboxes(at(0)), cap.lanes(at(0))), (Some(2), Some(1)));
            assert_eq!(told.iter().filter(|it| **it).count(), 1, "it is told once");
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
        assert_eq!(cap.lanes(at(35)), Some(4));
        // A clock that was set back.
        assert_eq!(cap.mailboxes(at(-100)), Some(4));
        // Refused again: as many as there were, and the time begins anew.
        assert!(cap.mailbox_refused(5, at(35)));
        assert_eq!((cap.mailboxes(at(35)), cap.mailboxes(at(44))), (Some(4), Some(4)));
    }

    #[test]
    fn a_lane_that_is_refused_concerns_no_other_mailbox() {
        let mut cap = Cap::default();
        assert!(cap.lane_refused(at(0)));
        assert!(!cap.lane_refused(at(0)));
        assert_eq!((cap.mailboxes(at(0)), cap.lanes(at(0)), cap.lanes(at(10))), (None, Some(1), Some(2)));
    }
}
