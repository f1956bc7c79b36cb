//! What the ledger remembers, and the one function by which it learns.
//!
//! The live run and the start after a crash build a folder's state with the same [`FolderState::apply`].

use std::collections::BTreeMap;

use mailhaul_mail::{
    Digests, Fingerprint, Flags, FolderPath, MessageHasher, Sha256, Uid, UidSet, UidValidity,
};

use crate::folder::Cursor;

/// The target folder's state when messages were about to be appended to it: what was put there since has a UID at or
/// above `uid_next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendStart {
    /// The target folder's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// The target folder's UIDNEXT.
    pub uid_next: Uid,
}

/// What became of one message of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// About to be sent, or sent with its answer lost.
    Intended,
    /// The same in a form that was edited, because the target refuses it as it is.
    Repairing(Box<RepairRecord>),
    /// On the target, put there by this migration or found there and adopted.
    Done(CopyRecord),
    /// Not on the target, and why.
    Skipped(String),
}

/// A message that is on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRecord {
    /// Its UID on the target; `None` where the target told none and none could be found.
    pub target_uid: Option<Uid>,
    /// The source's flags as last carried over.
    pub flags: Flags,
    /// Flags that were about to be carried over in their place when the last word of it was written. Until they are, only the
    /// flags of both sets are certain to be on the target, and any flag of either may be.
    pub pending_flags: Option<Flags>,
    /// For recognising it again.
    pub fingerprint: Fingerprint,
    /// For telling it from others with the same fingerprint; `None` for adopted messages whose bodies were not read.
    pub digests: Option<Digests>,
    /// Octets, as the source claimed.
    pub size: u64,
    /// Date of arrival as the source told it, in seconds since 1970; `None` where it told none, or in older records.
    pub arrived: Option<i64>,
    /// Whether this migration put it there: only such messages may be removed from the target again.
    pub ours: bool,
    /// Where the copy differs from the message; everything above is of the message as the source has it.
    pub edited: Option<Box<RepairRecord>>,
}

impl CopyRecord {
    /// As the copy looks on the target: there it is recognised by what was sent.
    pub(crate) fn as_copy(&self) -> Self {
        match &self.edited {
            Some(edited) => Self {
                fingerprint: edited.copy.fingerprint,
                digests: Some(edited.copy.digests),
                size: edited.copy.size,
                ..self.clone()
            },
            None => self.clone(),
        }
    }
}

/// How a message is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageIdentity {
    /// First by this.
    pub fingerprint: Fingerprint,
    /// Where that is not enough, by these.
    pub digests: Digests,
    /// Octets.
    pub size: u64,
}

impl MessageIdentity {
    /// Of a message held whole.
    pub fn of(octets: &[u8]) -> Self {
        let mut hasher = MessageHasher::new();
        hasher.update(octets);
        let (fingerprint, digests) = hasher.finish();
        Self { fingerprint, digests, size: octets.len() as u64 }
    }
}

/// A message that was edited so that the target takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRecord {
    /// As the source has it.
    pub original: MessageIdentity,
    /// As it was sent.
    pub copy: MessageIdentity,
    /// Of the original's octets.
    pub sha256: Sha256,
    /// What was edited, for people.
    pub edits: String,
    /// Its subject, decoded; `None` where it has none, or the source did not give it.
    pub subject: Option<String>,
}

impl RepairRecord {
    /// The record of the copy when it is on the target.
    pub(crate) fn copied(&self, target_uid: Option<Uid>, flags: Flags, ours: bool) -> CopyRecord {
        CopyRecord {
            arrived: None,
            target_uid,
            flags,
            pending_flags: None,
            fingerprint: self.original.fingerprint,
            digests: Some(self.original.digests),
            size: self.original.size,
            ours,
            edited: Some(Box::new(self.clone())),
        }
    }
}

/// One entry of the ledger. Entries of one call are durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerRecord {
    /// The folder goes here on the target. Written before anything else of the folder; starts it afresh where the
    /// source's UIDVALIDITY is another than before.
    Opened {
        /// On the source.
        folder: FolderPath,
        /// On the target.
        target: FolderPath,
        /// The source folder's UIDVALIDITY, to which all UIDs in its records belong.
        uid_validity: UidValidity,
    },
    /// These messages are about to be sent.
    Intended {
        /// The source folder.
        folder: FolderPath,
        /// Where to look for them after a crash.
        append_start: AppendStart,
        /// Their UIDs on the source.
        uids: UidSet,
    },
    /// What became of a message.
    Message {
        /// The source folder.
        folder: FolderPath,
        /// Its UID on the source.
        uid: Uid,
        /// `None`: nothing is known of it (an intent that was not carried out, a message gone from the source).
        state: Option<MessageState>,
    },
    /// The target folder's UIDVALIDITY to which the target UIDs in the records belong from now on. The folder is not
    /// settled any more.
    TargetValidity {
        /// The source folder.
        folder: FolderPath,
        /// The target folder's UIDVALIDITY.
        uid_validity: UidValidity,
    },
    /// The folder was renamed on the source, and is in this place on the target: UIDs stay what they are.
    Renamed {
        /// As it was called on the source.
        folder: FolderPath,
        /// Its name now.
        to: FolderPath,
        /// On the target.
        target: FolderPath,
    },
    /// The source has the folder no more, and no message of it is remembered.
    Closed {
        /// As it was called on the source.
        folder: FolderPath,
    },
    /// Everything that the scan found is dealt with. Nothing waits any more.
    Settled {
        /// The source folder.
        folder: FolderPath,
        /// How far it was carried.
        cursor: Cursor,
        /// The operator's rules that decided, as text: another text means that the folder must be looked at again.
        rules: String,
        /// The target folder's UIDNEXT after that; `None` where nothing was sent: it stays what it was.
        target_next: Option<Uid>,
    },
    /// Messages vanished from the source, and a later pass decides about their copies. The folder is not settled by that.
    Waiting {
        /// The source folder.
        folder: FolderPath,
        /// Which messages, and since when.
        waiting: WaitingDeletions,
    },
}

impl LedgerRecord {
    /// The source folder that the record is of.
    pub fn folder(&self) -> &FolderPath {
        match self {
            Self::Opened { folder, .. }
            | Self::Intended { folder, .. }
            | Self::Message { folder, .. }
            | Self::TargetValidity { folder, .. }
            | Self::Renamed { folder, .. }
            | Self::Closed { folder }
            | Self::Waiting { folder, .. }
            | Self::Settled { folder, .. } => folder,
        }
    }
}

/// What the ledger knows of a folder, without its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderRecord {
    /// On the source.
    pub folder: FolderPath,
    /// On the target.
    pub target: FolderPath,
    /// The source's UIDVALIDITY to which the message records belong.
    pub uid_validity: UidValidity,
    /// The target's UIDVALIDITY to which the target UIDs belong; `None` before the first message.
    pub target_validity: Option<UidValidity>,
    /// Where the oldest unsettled intent may have landed; `None` when nothing is open.
    pub append_start: Option<AppendStart>,
    /// How far the last settled pass came; `None` while the first one is under way.
    pub cursor: Option<Cursor>,
    /// The rules of the last settled pass.
    pub rules: String,
    /// The target folder's UIDNEXT when the folder was last settled: what has a greater UID came there since.
    pub target_next: Option<Uid>,
    /// Messages that vanished from the source, and whose copies are not removed yet.
    pub waiting: Option<WaitingDeletions>,
}

/// Messages that one pass did not see any more. Another pass must not see them either before their copies are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingDeletions {
    /// The time of that pass, in seconds since 1970.
    pub since: u64,
    /// Their UIDs on the source.
    pub uids: UidSet,
}

/// A folder and its messages, by their UID on the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderState {
    /// The folder.
    pub record: FolderRecord,
    /// Its messages.
    pub messages: BTreeMap<Uid, MessageState>,
    /// Further messages that are on the target, and of which no more was asked for than their number.
    pub rest: u64,
}

impl FolderState {
    /// The state after [`LedgerRecord::Opened`], the only record that can begin a folder.
    pub fn opened(folder: FolderPath, target: FolderPath, uid_validity: UidValidity) -> Self {
        let record = FolderRecord {
            folder,
            target,
            uid_validity,
            target_validity: None,
            append_start: None,
            cursor: None,
            rules: String::new(),
            target_next: None,
            waiting: None,
        };
        Self { record, messages: BTreeMap::new(), rest: 0 }
    }

    /// Learns one record of this folder.
    pub fn apply(&mut self, entry: &LedgerRecord) {
        match entry {
            LedgerRecord::Opened { folder, target, uid_validity } => {
                if self.record.uid_validity != *uid_validity || self.record.target != *target {
                    *self = Self::opened(folder.clone(), target.clone(), *uid_validity);
                }
            }
            LedgerRecord::Intended { append_start, uids, .. } => {
                self.record.append_start.get_or_insert(*append_start);
                self.record.target_validity.get_or_insert(append_start.uid_validity);
                self.messages.extend(uids.iter().map(|uid| (uid, MessageState::Intended)));
            }
            LedgerRecord::Message { uid, state, .. } => {
                match state {
                    Some(state) => self.messages.insert(*uid, state.clone()),
                    None => self.messages.remove(uid),
                };
            }
            LedgerRecord::TargetValidity { uid_validity, .. } => {
                self.record.target_validity = Some(*uid_validity);
                // Messages may be missing there: only a scan of everything shows them again, also after a crash.
                self.record.cursor = None;
                self.record.target_next = None;
            }
            LedgerRecord::Renamed { to, target, .. } => {
                self.record.folder = to.clone();
                self.record.target = target.clone();
            }
            LedgerRecord::Closed { .. } => self.messages.clear(),
            LedgerRecord::Waiting { waiting, .. } => self.record.waiting = Some(waiting.clone()),
            LedgerRecord::Settled { cursor, rules, target_next, .. } => {
                self.record.cursor = Some(*cursor);
                self.record.rules.clone_from(rules);
                self.record.append_start = None;
                self.record.waiting = None;
                self.record.target_next = target_next.or(self.record.target_next);
            }
        }
    }

    /// Without the messages that are on the target, with all known of them, and not among these; they are counted.
    #[must_use]
    pub fn around(mut self, uids: &UidSet) -> Self {
        let before = self.messages.len();
        self.messages.retain(|uid, state| match state {
            MessageState::Done(copied) => {
                uids.contains(*uid) || copied.target_uid.is_none() || copied.pending_flags.is_some()
            }
            _ => true,
        });
        self.rest += (before - self.messages.len()) as u64;
        self
    }

    /// Learns those of the records that are of this folder.
    pub fn learn(&mut self, records: &[LedgerRecord]) {
        let folder = self.record.folder.clone();
        for record in records.iter().filter(|record| *record.folder() == folder) {
            self.apply(record);
        }
    }

    /// The messages that were about to be sent when the last word of them was written.
    pub fn intended(&self) -> UidSet {
        let open =
            |state: &MessageState| matches!(state, MessageState::Intended | MessageState::Repairing(_));
        self.messages.iter().filter(|(_, state)| open(state)).map(|(uid, _)| *uid).collect()
    }

    /// Those of them that were about to be sent edited.
    pub fn repairing(&self) -> impl Iterator<Item = (Uid, &RepairRecord)> {
        self.messages.iter().filter_map(|(uid, state)| match state {
            MessageState::Repairing(edited) => Some((*uid, &**edited)),
            _ => None,
        })
    }

    /// The messages that are on the target.
    pub fn done(&self) -> impl Iterator<Item = (Uid, &CopyRecord)> {
        self.messages.iter().filter_map(|(uid, state)| match state {
            MessageState::Done(copied) => Some((*uid, copied)),
            _ => None,
        })
    }

    /// The UIDs on the target that belong to messages of this folder.
    pub fn target_uids(&self) -> UidSet {
        self.done().filter_map(|(_, copied)| copied.target_uid).collect()
    }
}
