//! What repeated refusals of a folder's messages mean: this message, every message, or a server that needs a pause. Pure.

use std::collections::BTreeMap;

use mailhaul_mail::{Retry, Scope, Uid, UidSet};

use crate::error::{Error, ErrorKind};

/// Maximum resends of a message whose rules changed (for example: no keywords).
pub(crate) const MAX_RESENDS: u32 = 3;

/// Refusals with the same words, with no message accepted in between, after which a folder is given up.
const MAX_ALIKE: u32 = 50;

/// Different messages that get an answer about more than a message, with no message accepted in between, before the
/// answer is believed.
const MAX_IN_DOUBT: usize = 3;
/// The same for requests for patience: a server that is busy is not asked more than necessary.
const MAX_BUSY: usize = 2;
/// Messages in a row that do not fit in although others did, before the mailbox is full: small messages went into the
/// room that was left.
const MAX_UNFIT: usize = 10;

/// What an answer about more than a message means for the message that got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalMeaning {
    /// The message may be the reason: other messages are sent first.
    TryOthers,
    /// Others were accepted, and this one was not again: the answer means this message.
    Refused,
    /// The server accepts no other message either: the answer means what it says.
    Believed,
}

/// Whether the answer to one message is about more than that message, and may mean it alone all the same: filters for
/// viruses and content answer with codes of RFC 5530 that are about folders and mailboxes.
pub(crate) fn may_mean_one_message(error: &Error) -> bool {
    match error.kind {
        ErrorKind::Busy => true,
        ErrorKind::Refused | ErrorKind::Quota | ErrorKind::Authentication => {
            error.scope > Scope::Message && error.retry == Retry::Never
        }
        _ => false,
    }
}

/// The refusals of a folder in one pass.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Messages that got an answer about more than a message; true where others were accepted since.
    doubted: BTreeMap<Uid, bool>,
    /// Messages that did not fit in although others did, with none accepted in between.
    unfit: usize,
    /// Words of the last refusal without its figures, and how often they came in a row.
    alike: (String, u32),
    /// A message was accepted in this pass.
    any_taken: bool,
    /// Messages that the last pass skipped.
    skipped_before: UidSet,
}

impl Refusals {
    /// These messages were skipped by the last pass. That stays so where the folder is begun again in this pass.
    pub(crate) fn skipped_before(&mut self, uids: &UidSet) {
        uids.ranges().for_each(|(first, last)| self.skipped_before.insert_range(first, last));
    }

    /// The target accepted a message.
    pub(crate) fn others_were_taken(&mut self) {
        self.any_taken = true;
        self.alike.1 = 0;
        self.unfit = 0;
        self.doubted.values_mut().for_each(|taken| *taken = true);
    }

    /// This message alone got an answer about more than a message. `others_wait` tells whether others are to be sent.
    pub(crate) fn doubt(&mut self, uid: Uid, others_wait: bool, kind: ErrorKind) -> RefusalMeaning {
        let is_busy = kind == ErrorKind::Busy;
        let was_skipped = self.skipped_before.contains(uid);
        if was_skipped && !is_busy {
            return self.refused(kind);
        }
        let most = if is_busy { MAX_BUSY } else { MAX_IN_DOUBT };
        match self.doubted.get(&uid) {
            Some(true) => return self.refused(kind),
            // Between these messages the server accepted nothing.
            None if self.doubted.values().filter(|taken| !**taken).count() + 1 >= most => {}
            None if others_wait || self.any_taken => {
                self.doubted.insert(uid, self.any_taken && !others_wait);
                return RefusalMeaning::TryOthers;
            }
            // With nothing to compare with, what was found out before counts.
            None if was_skipped => return RefusalMeaning::Refused,
            Some(false) | None => {}
        }
        self.doubted.clear();
        RefusalMeaning::Believed
    }

    /// The answer means this message; unless so many do not fit in that the mailbox is full.
    fn refused(&mut self, kind: ErrorKind) -> RefusalMeaning {
        self.unfit += usize::from(kind == ErrorKind::Quota);
        if self.unfit < MAX_UNFIT { RefusalMeaning::Refused } else { RefusalMeaning::Believed }
    }

    /// An answer about more than a message to one that is not offered again: true where others were accepted in this pass,
    /// and it is not the same answer to many.
    pub(crate) fn may_be_of_one(&mut self, error: &Error) -> bool {
        let is_known = error.kind != ErrorKind::Busy && may_mean_one_message(error);
        is_known && self.any_taken && self.too_many_alike(&error.message).is_none()
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

    const BUSY: ErrorKind = ErrorKind::Busy;
    const QUOTA: ErrorKind = ErrorKind::Quota;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    #[test]
    fn a_message_is_refused_where_others_are_accepted() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.doubt(uid(1), true, BUSY), RefusalMeaning::TryOthers);
        refusals.others_were_taken();
        assert_eq!(refusals.doubt(uid(1), false, BUSY), RefusalMeaning::Refused);
    }

    #[test]
    fn a_server_that_accepts_nothing_is_busy() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.doubt(uid(1), true, BUSY), RefusalMeaning::TryOthers);
        assert_eq!(refusals.doubt(uid(2), true, BUSY), RefusalMeaning::Believed);
        // After the pause it begins from the beginning.
        assert_eq!(refusals.doubt(uid(1), true, BUSY), RefusalMeaning::TryOthers);
        assert_eq!(Refusals::default().doubt(uid(1), false, BUSY), RefusalMeaning::Believed);
    }

    #[test]
    fn an_answer_about_more_than_a_message_is_believed_at_the_third_message() {
        for kind in [ErrorKind::Refused, QUOTA, ErrorKind::Authentication] {
            let mut refusals = Refusals::default();
            refusals.others_were_taken();
            let answers = [1, 2, 3].map(|it| refusals.doubt(uid(it), true, kind));
            assert_eq!(
                answers,
                [RefusalMeaning::TryOthers, RefusalMeaning::TryOthers, RefusalMeaning::Believed],
                "{kind:?}"
            );
        }
        let mut refusals = Refusals::default();
        refusals.skipped_before(&[uid(1), uid(2), uid(3)].into_iter().collect());
        let answers = [1, 2, 3].map(|it| refusals.doubt(uid(it), true, ErrorKind::Refused));
        assert_eq!(answers, [RefusalMeaning::Refused; 3]);
        assert_eq!(refusals.doubt(uid(4), false, ErrorKind::Refused), RefusalMeaning::Believed);
    }

    #[test]
    fn a_mailbox_with_room_for_small_messages_alone_is_full() {
        let mut refusals = Refusals::default();
        for large in 1..=9 {
            assert_eq!(refusals.doubt(uid(large), true, QUOTA), RefusalMeaning::TryOthers);
            refusals.others_were_taken();
        }
        let answers: Vec<RefusalMeaning> = (1..=9).map(|it| refusals.doubt(uid(it), true, QUOTA)).collect();
        assert_eq!(answers, [RefusalMeaning::Refused; 9]);
        refusals.skipped_before(&[uid(10)].into_iter().collect());
        assert_eq!(refusals.doubt(uid(10), true, QUOTA), RefusalMeaning::Believed);
    }

    #[test]
    fn a_message_that_was_skipped_before_is_refused_where_it_is_alone() {
        let mut refusals = Refusals::default();
        refusals.skipped_before(&[uid(3)].into_iter().collect());
        // The folder begins again.
        refusals.skipped_before(&UidSet::new());
        assert_eq!(refusals.doubt(uid(3), false, BUSY), RefusalMeaning::Refused);
        assert_eq!(refusals.doubt(uid(4), false, BUSY), RefusalMeaning::Believed);
    }

    #[test]
    fn the_last_message_is_tried_twice_where_the_others_were_accepted_before() {
        let mut refusals = Refusals::default();
        refusals.others_were_taken();
        assert_eq!(refusals.doubt(uid(9), false, BUSY), RefusalMeaning::TryOthers);
        assert_eq!(refusals.doubt(uid(9), false, BUSY), RefusalMeaning::Refused);
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
