//! What repeated refusals of a folder's messages mean: this message, every message, or a server that needs a pause. Pure.

use std::collections::BTreeMap;

use mailhaul_mail::{Uid, UidSet};

/// Refusals with the same words, with no message accepted in between, after which a folder is given up.
const MAX_ALIKE: u32 = 50;

/// What a request for patience in vague words means for the message that got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// The message may be the reason: other messages are sent first.
    TryOthers,
    /// Others were accepted, and this one was not again: the words mean this message.
    Refused,
    /// The server accepts no other message either: it needs a pause.
    Busy,
}

/// The refusals of a folder in one pass.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Messages at which the server asked for patience; true where others were accepted since.
    doubted: BTreeMap<Uid, bool>,
    /// Words of the last refusal without its figures, and how often they came in a row.
    alike: (String, u32),
    /// A message was accepted in this pass.
    any_taken: bool,
    /// Messages that the last pass skipped.
    skipped_before: UidSet,
}

impl Refusals {
    /// These messages were skipped by the last pass. That is still known when the folder begins again, after an intent to
    /// send them.
    pub(crate) fn skipped_before(&mut self, uids: UidSet) {
        if self.skipped_before.is_empty() {
            self.skipped_before = uids;
        }
    }

    /// The target accepted a message.
    pub(crate) fn others_were_taken(&mut self) {
        self.any_taken = true;
        self.alike.1 = 0;
        self.doubted.values_mut().for_each(|taken| *taken = true);
    }

    /// The target asked for patience in answer to this message alone. `others_wait` tells whether others are to be sent.
    pub(crate) fn doubt(&mut self, uid: Uid, others_wait: bool) -> Suspicion {
        match self.doubted.get(&uid) {
            Some(true) => return Suspicion::Refused,
            // Between two messages the server accepted nothing.
            None if self.doubted.values().any(|taken| !taken) => {}
            None if others_wait || self.any_taken => {
                self.doubted.insert(uid, self.any_taken && !others_wait);
                return Suspicion::TryOthers;
            }
            // With nothing to compare with, what was found out before counts.
            None if self.skipped_before.contains(uid) => return Suspicion::Refused,
            Some(false) | None => {}
        }
        self.doubted.clear();
        Suspicion::Busy
    }

    /// Counts a refusal. A sentence where too many came in a row with the same words.
    pub(crate) fn too_many_alike(&mut self, words: &str) -> Option<String> {
        let plain: String = words.chars().filter(|it| !it.is_ascii_digit()).collect();
        if self.alike.0 == plain {
            self.alike.1 += 1;
        } else {
            self.alike = (plain, 1);
        }
        (self.alike.1 >= MAX_ALIKE).then(|| {
            format!("{MAX_ALIKE} messages in a row were refused with the same words, and none was accepted: {words}")
        })
    }

    /// Goes on with what another folder of the same mailbox met.
    pub(crate) fn follow(&mut self, other: &(String, u32)) {
        if self.alike.1 == 0 {
            self.alike.clone_from(other);
        }
    }

    /// The words of the last refusal, and how often they came in a row.
    pub(crate) fn alike(&self) -> &(String, u32) {
        &self.alike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    #[test]
    fn a_message_is_refused_where_others_are_accepted() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.doubt(uid(1), true), Suspicion::TryOthers);
        refusals.others_were_taken();
        assert_eq!(refusals.doubt(uid(1), false), Suspicion::Refused);
    }

    #[test]
    fn a_server_that_accepts_nothing_is_busy() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.doubt(uid(1), true), Suspicion::TryOthers);
        assert_eq!(refusals.doubt(uid(2), true), Suspicion::Busy);
        // After the pause it begins from the beginning.
        assert_eq!(refusals.doubt(uid(1), true), Suspicion::TryOthers);
        assert_eq!(Refusals::default().doubt(uid(1), false), Suspicion::Busy);
    }

    #[test]
    fn a_message_that_was_skipped_before_is_refused_where_it_is_alone() {
        let mut refusals = Refusals::default();
        refusals.skipped_before([uid(3)].into_iter().collect());
        // The folder begins again.
        refusals.skipped_before(UidSet::new());
        assert_eq!(refusals.doubt(uid(3), false), Suspicion::Refused);
        assert_eq!(refusals.doubt(uid(4), false), Suspicion::Busy);
    }

    #[test]
    fn the_last_message_is_tried_twice_where_the_others_were_accepted_before() {
        let mut refusals = Refusals::default();
        refusals.others_were_taken();
        assert_eq!(refusals.doubt(uid(9), false), Suspicion::TryOthers);
        assert_eq!(refusals.doubt(uid(9), false), Suspicion::Refused);
    }

    #[test]
    fn equal_refusals_are_counted_while_nothing_is_accepted() {
        let mut refusals = Refusals::default();
        let full = |number: u32| format!("NO message {number}: storage limit reached");
        assert!((1..MAX_ALIKE).all(|it| refusals.too_many_alike(&full(it)).is_none()));
        assert!(refusals.too_many_alike(&full(9)).is_some_and(|it| it.contains("storage limit")));
        refusals.others_were_taken();
        assert!(refusals.too_many_alike(&full(1)).is_none());
        assert!(refusals.too_many_alike("NO invalid header").is_none());
        let mut next = Refusals::default();
        (1..MAX_ALIKE).for_each(|it| drop(refusals.too_many_alike(&full(it))));
        next.follow(refusals.alike());
        assert!(next.too_many_alike(&full(1)).is_some(), "the next folder gets the same words");
    }
}
