//! Resends of messages that the target accepted and does not have. Pure.
//!
//! Each message is sent again once. One of them, the probe, goes first and alone: the others follow after the target
//! stored it.

use std::{collections::HashSet, num::NonZeroU64, time::Duration};

use mailhaul_mail::{Uid, UidSet};

use crate::folder_sync::lost::LostMessage;

/// Probes that the target may lose in a row. Then the others are not sent: each try may leave a copy that nothing finds.
const MAX_PROBES: u32 = 3;
/// Polls for messages that the target accepted and does not show.
const MAX_LATE_POLLS: u32 = 3;

/// The next step for messages that wait for a resend.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextProbe {
    /// No message waits.
    None,
    /// This message is sent as the probe.
    Send(Uid),
    /// The target lost too many probes: these messages are skipped.
    GiveUp(Vec<LostMessage>),
}

/// Resends of a folder in one pass.
#[derive(Debug, Default)]
pub(crate) struct Resends {
    /// Messages that were sent again, or will be.
    known: HashSet<Uid>,
    /// Messages that wait for a stored probe.
    waiting: Vec<LostMessage>,
    /// True while a probe is on its way.
    is_probing: bool,
    /// Probes that were lost since the last one that was stored.
    lost_probes: u32,
}

impl Resends {
    /// Adds messages that the last pass lost. Each pass begins with another one of them: `now` chooses.
    pub(crate) fn recall(&mut self, lost: Vec<LostMessage>, now: Duration) {
        self.waiting.extend(lost);
        self.known.extend(self.waiting.iter().map(|lost| lost.uid));
        if let Some(count) = NonZeroU64::new(self.waiting.len() as u64) {
            let first = usize::try_from(now.as_secs() % count).unwrap_or_default();
            self.waiting.rotate_left(first);
        }
    }

    /// UIDs of the messages that wait.
    pub(crate) fn waiting(&self) -> UidSet {
        self.waiting.iter().map(|lost| lost.uid).collect()
    }

    /// Chooses the next probe.
    pub(crate) fn next_probe(&mut self) -> NextProbe {
        if self.waiting.is_empty() {
            return NextProbe::None;
        }
        if self.lost_probes >= MAX_PROBES {
            return NextProbe::GiveUp(std::mem::take(&mut self.waiting));
        }
        self.is_probing = true;
        NextProbe::Send(self.waiting.remove(0).uid)
    }

    /// True if the messages that were just sent are the probe. Ends the probe.
    pub(crate) fn end_probe(&mut self) -> bool {
        std::mem::take(&mut self.is_probing)
    }

    /// Divides lost messages into those that are to be sent again, and those that were lost for the second time.
    pub(crate) fn divide(&mut self, lost: Vec<LostMessage>) -> (Vec<LostMessage>, Vec<LostMessage>) {
        lost.into_iter().partition(|lost| self.known.insert(lost.uid))
    }

    /// Lets messages wait for a stored probe. `was_probe_lost`: the target lost the last probe.
    pub(crate) fn add(&mut self, again: Vec<LostMessage>, was_probe_lost: bool) {
        self.waiting.extend(again);
        self.lost_probes += u32::from(was_probe_lost);
    }

    /// The target stored the probe: returns all that wait, to be sent.
    pub(crate) fn release(&mut self) -> Vec<Uid> {
        self.lost_probes = 0;
        self.waiting.drain(..).map(|lost| lost.uid).collect()
    }

    /// Number of polls for missing messages. After a lost probe, one is enough for each message.
    pub(crate) fn polls(&self) -> u32 {
        if self.lost_probes == 0 { MAX_LATE_POLLS } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn lost(numbers: &[u32]) -> Vec<LostMessage> {
        numbers.iter().map(|number| LostMessage::not_stored(uid(*number))).collect()
    }

    #[test]
    fn a_stored_probe_releases_the_others() {
        let mut resends = Resends::default();
        assert_eq!(resends.next_probe(), NextProbe::None);
        let (again, twice) = resends.divide(lost(&[1, 2, 3]));
        assert_eq!((again.len(), twice.len()), (3, 0));
        resends.add(again, false);
        assert_eq!(resends.next_probe(), NextProbe::Send(uid(1)));
        assert!(resends.end_probe() && !resends.end_probe());
        assert_eq!(resends.release(), [uid(2), uid(3)]);
        assert_eq!(resends.next_probe(), NextProbe::None);
    }

    #[test]
    fn three_lost_probes_end_the_resends() {
        let mut resends = Resends::default();
        resends.recall(lost(&[1, 2, 3, 4]), Duration::from_secs(5));
        for (number, polls) in [(2, 3), (3, 1), (4, 1)] {
            assert_eq!((resends.polls(), resends.next_probe()), (polls, NextProbe::Send(uid(number))));
            let (again, twice) = resends.divide(lost(&[number]));
            assert_eq!((&again, &twice), (&Vec::new(), &lost(&[number])));
            let is_probe = resends.end_probe();
            resends.add(again, is_probe && !twice.is_empty());
        }
        assert_eq!(resends.next_probe(), NextProbe::GiveUp(lost(&[1])));
        assert_eq!(resends.next_probe(), NextProbe::None);
    }
}
