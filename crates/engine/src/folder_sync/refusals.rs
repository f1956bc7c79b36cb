//! Meaning of repeated refusals: this message, every message, or a server that needs a pause. Pure.

use std::collections::BTreeMap;

use mailhaul_mail::{Retry, Scope, Uid, UidSet};

use crate::error::{Error, ErrorKind};

/// Maximum resends of a message whose rules changed (for example: no keywords).
pub(crate) const MAX_RESENDS: u32 = 3;

/// Maximum refusals in a row with the same words, before a folder is given up.
const MAX_ALIKE: u32 = 50;

/// Messages in a row that get a refusal about more than a message, before the refusal is believed.
const MAX_IN_DOUBT: usize = 3;
/// The same for requests for a delay: a busy server gets as few commands as possible.
const MAX_BUSY: usize = 2;
/// Messages in a row that exceed the quota although others did not, before the mailbox counts as full. Small messages
/// may have fit into the remaining space.
const MAX_UNFIT: usize = 10;

/// Meaning of a refusal about more than a message, for the message that got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalMeaning {
    /// The message may be the reason: other messages are sent first.
    TryOthers,
    /// Others were accepted, and this one was refused again: the refusal concerns this message.
    Refused,
    /// The server accepts no other message either: the refusal means what it says.
    Believed,
}

/// True if a refusal about more than a message may still concern only that message.
///
/// Quirk: filters for viruses and content answer with codes of RFC 5530 that are about folders and mailboxes.
pub(crate) fn may_mean_one_message(error: &Error) -> bool {
    match error.kind {
        ErrorKind::Busy => true,
        ErrorKind::Refused | ErrorKind::Quota | ErrorKind::Authentication => {
            error.scope > Scope::Message && error.retry == Retry::Never
        }
        _ => false,
    }
}

#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Messages with a refusal about more than a message; true if others were accepted since.
    doubted: BTreeMap<Uid, bool>,
    /// Messages over quota although others fit, with none accepted in between.
    unfit: usize,
    /// Words of the last refusal without digits, and the number of equal refusals in a row.
    alike: (String, u32),
    /// True if a message was accepted in this pass.
    any_accepted: bool,
    skipped_before: UidSet,
}

impl Refusals {
    /// Notes messages that the last pass skipped. They are kept if the folder begins again in this pass.
    pub(crate) fn skipped_before(&mut self, uids: &UidSet) {
        uids.ranges().for_each(|(first, last)| self.skipped_before.insert_range(first, last));
    }

    pub(crate) fn note_accepted(&mut self) {
        self.any_accepted = true;
        self.alike.1 = 0;
        self.unfit = 0;
        self.doubted.values_mut().for_each(|taken| *taken = true);
    }

    /// Judges a refusal about more than a message for one message. `others_wait`: others are still to be sent.
    pub(crate) fn doubt(&mut self, uid: Uid, others_wait: bool, kind: ErrorKind) -> RefusalMeaning {
        let is_busy = kind == ErrorKind::Busy;
        let was_skipped = self.skipped_before.contains(uid);
        if was_skipped && !is_busy {
            return self.refused(kind);
        }
        let most = if is_busy { MAX_BUSY } else { MAX_IN_DOUBT };
        match self.doubted.get(&uid) {
            Some(true) => return self.refused(kind),
            // The server accepted nothing between these messages.
            None if self.doubted.values().filter(|taken| !**taken).count() + 1 >= most => {}
            None if others_wait || self.any_accepted => {
                self.doubted.insert(uid, self.any_accepted && !others_wait);
                return RefusalMeaning::TryOthers;
            }
            // No other message is left to compare with: the result of the last pass counts.
            None if was_skipped => return RefusalMeaning::Refused,
            Some(false) | None => {}
        }
        self.doubted.clear();
        RefusalMeaning::Believed
    }

    /// The refusal concerns this message, unless too many messages exceed the quota: then the mailbox is full.
    fn refused(&mut self, kind: ErrorKind) -> RefusalMeaning {
        self.unfit += usize::from(kind == ErrorKind::Quota);
        if self.unfit < MAX_UNFIT { RefusalMeaning::Refused } else { RefusalMeaning::Believed }
    }

    /// True if a refusal about more than a message may concern one message that is not sent again.
    ///
    /// Others must have been accepted in this pass, and the refusal must not be that of many messages.
    pub(crate) fn may_be_of_one(&mut self, error: &Error) -> bool {
        let is_known = error.kind != ErrorKind::Busy && may_mean_one_message(error);
        is_known && self.any_accepted && self.too_many_alike(&error.message).is_none()
    }

    /// Counts a refusal. Returns a sentence if too many in a row had the same words.
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

    /// Continues the count of another folder of the same mailbox.
    pub(crate) fn follow(&mut self, other: &(String, u32)) {
        if self.alike.1 == 0 {
            self.alike.clone_from(other);
        }
    }

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
        refusals.note_accepted();
        assert_eq!(refusals.doubt(uid(1), false, BUSY), RefusalMeaning::Refused);
    }

    #[test]
    fn a_server_that_accepts_nothing_is_busy() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.doubt(uid(1), true, BUSY), RefusalMeaning::TryOthers);
        assert_eq!(refusals.doubt(uid(2), true, BUSY), RefusalMeaning::Believed);
        assert_eq!(refusals.doubt(uid(1), true, BUSY), RefusalMeaning::TryOthers);
        assert_eq!(Refusals::default().doubt(uid(1), false, BUSY), RefusalMeaning::Believed);
    }

    #[test]
    fn a_wider_answer_is_believed_at_the_third_message() {
        for kind in [ErrorKind::Refused, QUOTA, ErrorKind::Authentication] {
            let mut refusals = Refusals::default();
            refusals.note_accepted();
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
    fn a_mailbox_with_space_for_small_messages_only_is_full() {
        let mut refusals = Refusals::default();
        for large in 1..=9 {
            assert_eq!(refusals.doubt(uid(large), true, QUOTA), RefusalMeaning::TryOthers);
            refusals.note_accepted();
        }
        let answers: Vec<RefusalMeaning> = (1..=9).map(|it| refusals.doubt(uid(it), true, QUOTA)).collect();
        assert_eq!(answers, [RefusalMeaning::Refused; 9]);
        refusals.skipped_before(&[uid(10)].into_iter().collect());
        assert_eq!(refusals.doubt(uid(10), true, QUOTA), RefusalMeaning::Believed);
    }

    #[test]
    fn a_message_that_was_skipped_before_is_refused_if_alone() {
        let mut refusals = Refusals::default();
        refusals.skipped_before(&[uid(3)].into_iter().collect());
        refusals.skipped_before(&UidSet::new());
        assert_eq!(refusals.doubt(uid(3), false, BUSY), RefusalMeaning::Refused);
        assert_eq!(refusals.doubt(uid(4), false, BUSY), RefusalMeaning::Believed);
    }

    #[test]
    fn the_last_message_is_tried_twice_if_others_were_accepted() {
        let mut refusals = Refusals::default();
        refusals.note_accepted();
        assert_eq!(refusals.doubt(uid(9), false, BUSY), RefusalMeaning::TryOthers);
        assert_eq!(refusals.doubt(uid(9), false, BUSY), RefusalMeaning::Refused);
    }

    #[test]
    fn equal_refusals_are_counted_while_nothing_is_accepted() {
        let mut refusals = Refusals::default();
        let full = |number: u32| format!("NO message {number}: storage limit reached");
        assert!((1..MAX_ALIKE).all(|it| refusals.too_many_alike(&full(it)).is_none()));
        assert!(refusals.too_many_alike(&full(9)).is_some_and(|it| it.contains("storage limit")));
        refusals.note_accepted();
        assert!(refusals.too_many_alike(&full(1)).is_none());
        assert!(refusals.too_many_alike("NO invalid header").is_none());
        let mut next = Refusals::default();
        (1..MAX_ALIKE).for_each(|it| drop(refusals.too_many_alike(&full(it))));
        next.follow(refusals.alike());
        assert!(next.too_many_alike(&full(1)).is_some(), "the next folder gets the same words");
    }
}
