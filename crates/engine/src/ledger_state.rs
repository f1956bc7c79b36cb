//! Ledger records, and [`FolderState::apply`], the only function that changes state from them.
//!
//! The running pass and the start after a crash build a folder's state with this one function.

use std::collections::BTreeMap;

use mailhaul_mail::{
    Digests, Fingerprint, Flags, FolderPath, MessageHasher, Sha256, Uid, UidSet, UidValidity,
};

use crate::{arrivals::Arrival, folder::Cursor};

/// State of the target folder before messages were appended.
///
/// Messages that were added since have a UID at or above `uid_next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendStart {
    /// The target folder's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// The target folder's UIDNEXT.
    pub uid_next: Uid,
}

/// State of one message of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// About to be sent, or sent without a known answer.
    Intended,
    /// The same in an edited form, because the target refuses the original.
    Repairing(Box<RepairRecord>),
    /// On the target, copied by this migration or adopted.
    Done(CopyRecord),
    /// Not on the target, with the reason.
    Skipped(String),
}

/// The record of a message that is on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRecord {
    /// UID on the target; `None` if the target returned none and none was found.
    pub target_uid: Option<Uid>,
    /// The source's flags at their last transfer.
    pub flags: Flags,
    /// Flags that were about to replace `flags`.
    ///
    /// Until the change is recorded, only flags of both sets are certain to be on the target, and any flag of either
    /// set may be.
    pub pending_flags: Option<Flags>,
    /// Recognises the message.
    pub fingerprint: Fingerprint,
    /// Distinguishes messages with one fingerprint; `None` for adopted messages whose bodies were not read.
    pub digests: Option<Digests>,
    /// Bytes, as the source claimed.
    pub size: u64,
    /// Date of arrival in seconds since 1970; `None` if the source returned none, and in older records.
    pub arrived: Option<i64>,
    /// True if this migration copied it. Only such copies may be removed from the target again.
    pub ours: bool,
    /// Set if the copy was edited. All other fields describe the message as the source has it.
    pub edited: Option<Box<RepairRecord>>,
}

impl CopyRecord {
    /// Returns the record with the properties of the copy on the target.
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

/// Properties by which a message is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageIdentity {
    /// Compared first.
    pub fingerprint: Fingerprint,
    /// Compared if the fingerprint is not enough.
    pub digests: Digests,
    /// Bytes.
    pub size: u64,
}

impl MessageIdentity {
    /// Computes the identity of a whole message.
    pub fn from_bytes(octets: &[u8]) -> Self {
        let mut hasher = MessageHasher::new();
        hasher.update(octets);
        let (fingerprint, digests) = hasher.finish();
        Self { fingerprint, digests, size: octets.len() as u64 }
    }
}

/// A message that was edited so that the target accepts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRecord {
    /// The message as the source has it.
    pub original: MessageIdentity,
    /// The message as it was sent.
    pub copy: MessageIdentity,
    /// Hash of the original's bytes.
    pub sha256: Sha256,
    /// Description of the edits for the operator.
    pub edits: String,
    /// Its subject, decoded; `None` if it has none, or the source did not return it.
    pub subject: Option<String>,
}

impl RepairRecord {
    /// Creates the record of the copy on the target.
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
    /// The folder has this target folder. The first record of a folder.
    ///
    /// If the source's UIDVALIDITY changed, the folder starts again without messages.
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
        /// Start of the search for them after a crash.
        append_start: AppendStart,
        /// UIDs on the source.
        uids: UidSet,
    },
    /// The new state of a message.
    Message {
        /// The source folder.
        folder: FolderPath,
        /// UID on the source.
        uid: Uid,
        /// `None` deletes the message from the ledger: an intent without effect, or a message gone from the source.
        state: Option<MessageState>,
    },
    /// The target folder's UIDVALIDITY of all target UIDs from now on. The folder is not settled any more.
    TargetValidity {
        /// The source folder.
        folder: FolderPath,
        /// The target folder's UIDVALIDITY.
        uid_validity: UidValidity,
    },
    /// The folder was renamed on the source, and has this target folder. UIDs stay valid.
    Renamed {
        /// The old name on the source.
        folder: FolderPath,
        /// The new name on the source.
        to: FolderPath,
        /// On the target.
        target: FolderPath,
    },
    /// The source has the folder no more, and the ledger has no message of it.
    Closed {
        /// The old name on the source.
        folder: FolderPath,
    },
    /// All messages of the scan are handled. No deletion waits any more.
    Settled {
        /// The source folder.
        folder: FolderPath,
        /// The state of the folder at its scan.
        cursor: Cursor,
        /// The operator's rules as text. If the text changes, the folder must be scanned again.
        rules: String,
        /// The target folder's UIDNEXT after that; `None` if nothing was sent, and the old value stays.
        target_next: Option<Uid>,
    },
    /// Messages vanished from the source, and a later pass decides about their copies. This does not settle the
    /// folder.
    Waiting {
        /// The source folder.
        folder: FolderPath,
        /// The messages, and the time of the first pass without them.
        waiting: WaitingDeletions,
    },
    /// Copied messages that came to the source lately. The folder's state stays the same.
    Arrived {
        /// The source folder.
        folder: FolderPath,
        arrivals: Vec<Arrival>,
    },
}

impl LedgerRecord {
    /// The source folder of the record.
    pub fn folder(&self) -> &FolderPath {
        match self {
            Self::Opened { folder, .. }
            | Self::Intended { folder, .. }
            | Self::Message { folder, .. }
            | Self::TargetValidity { folder, .. }
            | Self::Renamed { folder, .. }
            | Self::Closed { folder }
            | Self::Waiting { folder, .. }
            | Self::Arrived { folder, .. }
            | Self::Settled { folder, .. } => folder,
        }
    }
}

/// The ledger's knowledge of a folder, without its messages.
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
    /// Start of the search for the oldest intent without an outcome; `None` if there is none.
    pub append_start: Option<AppendStart>,
    /// The state after the last settled pass; `None` during the first one.
    pub cursor: Option<Cursor>,
    /// The rules of the last settled pass.
    pub rules: String,
    /// The target folder's UIDNEXT when the folder was last settled. Greater UIDs were added since.
    pub target_next: Option<Uid>,
    /// Messages that vanished from the source, and whose copies are not removed yet.
    pub waiting: Option<WaitingDeletions>,
}

/// Messages that one pass did not see any more. Another pass must miss them too before their copies are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingDeletions {
    /// The time of that pass, in seconds since 1970.
    pub since: u64,
    /// UIDs on the source.
    pub uids: UidSet,
}

/// A folder and its messages, by their UID on the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderState {
    pub record: FolderRecord,
    pub messages: BTreeMap<Uid, MessageState>,
    /// Number of further messages on the target that were not loaded.
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

    /// Applies one record of this folder.
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
                // Messages may be missing on the target. Only a full scan shows them again, also after a crash.
                self.record.cursor = None;
                self.record.target_next = None;
            }
            LedgerRecord::Renamed { to, target, .. } => {
                self.record.folder = to.clone();
                self.record.target = target.clone();
            }
            LedgerRecord::Closed { .. } => self.messages.clear(),
            LedgerRecord::Waiting { waiting, .. } => self.record.waiting = Some(waiting.clone()),
            LedgerRecord::Arrived { .. } => {}
            LedgerRecord::Settled { cursor, rules, target_next, .. } => {
                self.record.cursor = Some(*cursor);
                self.record.rules.clone_from(rules);
                self.record.append_start = None;
                self.record.waiting = None;
                self.record.target_next = target_next.or(self.record.target_next);
            }
        }
    }

    /// Drops messages on the target with complete records, except these UIDs. They are counted in `rest`.
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

    /// Applies the records of this folder.
    pub fn apply_all(&mut self, records: &[LedgerRecord]) {
        let folder = self.record.folder.clone();
        for record in records.iter().filter(|record| *record.folder() == folder) {
            self.apply(record);
        }
    }

    /// The messages with an intent and no outcome.
    pub fn intended(&self) -> UidSet {
        let open =
            |state: &MessageState| matches!(state, MessageState::Intended | MessageState::Repairing(_));
        self.messages.iter().filter(|(_, state)| open(state)).map(|(uid, _)| *uid).collect()
    }

    /// Those of them that were about to be sent in an edited form.
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
