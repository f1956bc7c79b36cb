//! Options of a pass: folders, messages, deletions and repairs.

use crate::{
    folder_plan::FolderRules,
    message_plan::{Filter, Order},
    ports::Mailbox,
};
use mailhaul_mail::repair::{LONGEST_LINE, Repairs};

/// What happens on the target to a message that was deleted on the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It stays.
    #[default]
    Keep,
    /// It is removed, if this migration put it there.
    Mirror,
}

/// When copies are removed although a server may be wrong: what one pass alone does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalRules {
    /// One pass removes at most so many percent of the copies of a mailbox, or [`Self::messages`] where that is more; and
    /// of the copies of one folder at most half, or [`Self::messages`].
    pub percent: u8,
    /// See [`Self::percent`].
    pub messages: u64,
    /// The administrator has said that what vanished is to be removed.
    pub is_confirmed: bool,
}

impl Default for RemovalRules {
    fn default() -> Self {
        Self { percent: 10, messages: 10, is_confirmed: false }
    }
}

/// What the operator wants of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassOptions {
    /// Of folders.
    pub folders: FolderRules,
    /// Of messages.
    pub filter: Filter,
    /// Which come first.
    pub order: Order,
    /// What follows a deletion.
    pub deletions: DeletionPolicy,
    /// How many copies one pass may remove.
    pub removals: RemovalRules,
    /// What may be edited.
    pub repairs: RepairRules,
}

impl PassOptions {
    /// All that decides about messages, as text: another text means that a folder must be looked at again.
    pub(crate) fn rules(&self, source: &impl Mailbox) -> String {
        format!("{:?}{}", self.filter, source.view())
    }
}

/// What may be edited in messages that the target refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRules {
    /// These repairs, and no others.
    pub allowed: Repairs,
    /// The longest line that the target takes, as far as is known (octets, without its end).
    pub longest_line: usize,
    /// What the operator calls the option that allows more.
    pub option: &'static str,
}

impl Default for RepairRules {
    fn default() -> Self {
        Self { allowed: Repairs::default(), longest_line: LONGEST_LINE, option: "-Repair" }
    }
}
