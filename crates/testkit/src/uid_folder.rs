//! The UIDs and mod-sequences of one folder: the rules that all simulated servers share.
//!
//! The engine's tests include this file, because they do not depend on this crate. It needs the standard library only.

use std::{collections::BTreeMap, mem};

/// A folder whose messages are of the type `T`.
///
/// Protocol: UIDs are ascending and never used again (RFC 3501, section 2.3.1.1). Each change of a message has a
/// mod-sequence, and so has each removal (RFC 7162, sections 3.1 and 3.2).
#[derive(Clone, Debug)]
pub(crate) struct UidFolder<T> {
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    /// HIGHESTMODSEQ.
    pub(crate) modseq: u64,
    pub(crate) messages: BTreeMap<u32, T>,
    /// The mod-sequence of each message.
    changes: BTreeMap<u32, u64>,
    /// The mod-sequence of each removal.
    vanished: BTreeMap<u32, u64>,
}

impl<T> UidFolder<T> {
    pub(crate) fn new(uid_validity: u32, modseq: u64) -> Self {
        Self {
            uid_validity,
            uid_next: 1,
            modseq,
            messages: BTreeMap::new(),
            changes: BTreeMap::new(),
            vanished: BTreeMap::new(),
        }
    }

    /// Adds a message. Returns its UID.
    pub(crate) fn insert(&mut self, message: T, modseq: u64) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.messages.insert(uid, message);
        self.touch(uid, modseq);
        uid
    }

    /// Records a change of a message.
    pub(crate) fn touch(&mut self, uid: u32, modseq: u64) {
        self.modseq = modseq;
        self.changes.insert(uid, modseq);
    }

    /// Removes a message, and records the removal.
    pub(crate) fn remove(&mut self, uid: u32, modseq: u64) -> Option<T> {
        let message = self.messages.remove(&uid)?;
        self.modseq = modseq;
        self.changes.remove(&uid);
        self.vanished.insert(uid, modseq);
        Some(message)
    }

    /// Removes all messages, like a restore from a backup: UIDs begin at 1 again, and UIDVALIDITY stays.
    pub(crate) fn restart(&mut self) -> Vec<T> {
        self.uid_next = 1;
        self.changes.clear();
        self.vanished.clear();
        mem::take(&mut self.messages).into_values().collect()
    }

    /// True if the message was added or changed after this mod-sequence.
    pub(crate) fn has_changed_since(&self, uid: u32, modseq: u64) -> bool {
        self.modseq_of(uid) > modseq
    }

    pub(crate) fn modseq_of(&self, uid: u32) -> u64 {
        self.changes.get(&uid).copied().unwrap_or_default()
    }

    /// Number of removals so far.
    pub(crate) fn removals(&self) -> usize {
        self.vanished.len()
    }

    /// UIDs of the messages that were removed after this mod-sequence, ascending.
    pub(crate) fn vanished_since(&self, modseq: u64) -> impl Iterator<Item = u32> {
        self.vanished.iter().filter(move |(_, removed)| **removed > modseq).map(|(uid, _)| *uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_never_used_again_and_removals_are_remembered() {
        let mut folder = UidFolder::new(7, 10);
        assert_eq!((folder.insert('a', 11), folder.insert('b', 12)), (1, 2));
        assert_eq!(folder.remove(2, 13), Some('b'));
        assert_eq!(folder.remove(2, 14), None);
        assert_eq!((folder.insert('c', 15), folder.uid_next, folder.modseq), (3, 4, 15));
        folder.touch(1, 16);
        assert!(folder.has_changed_since(1, 15) && !folder.has_changed_since(3, 15));
        assert_eq!(folder.vanished_since(12).collect::<Vec<_>>(), [2]);
        assert_eq!(folder.vanished_since(13).count(), 0);
        assert_eq!((folder.restart(), folder.insert('d', 17)), (vec!['a', 'c'], 1));
        assert_eq!((folder.uid_validity, folder.removals()), (7, 0));
    }
}
