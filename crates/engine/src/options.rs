//! Options of a pass: folders, messages, deletions and repairs.

use mailhaul_mail::repair::{LONGEST_LINE, Repairs};

use crate::{
    arrivals::ArrivalRules,
    folder_plan::FolderRules,
    message_plan::{Filter, Order},
    ports::Mailbox,
};

/// Treatment of copies whose messages were deleted on the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// They stay.
    #[default]
    Keep,
    /// They are removed, if this migration copied them.
    Mirror,
}

/// Bounds for removals that one pass decides alone, because a server may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalRules {
    /// Share of a mailbox's copies that one pass removes, in percent, or [`Self::messages`] if that is more.
    ///
    /// Of one folder: this share or 50 percent, whichever is more, or [`Self::messages`] if that is more.
    pub percent: u8,
    /// See [`Self::percent`].
    pub messages: u64,
    /// True if the administrator has confirmed the deletions.
    pub is_confirmed: bool,
}

impl Default for RemovalRules {
    fn default() -> Self {
        Self { percent: 10, messages: 10, is_confirmed: false }
    }
}

/// The operator's options for a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassOptions {
    /// Folder selection and mapping.
    pub folders: FolderRules,
    /// Message filter.
    pub filter: Filter,
    /// Send order.
    pub order: Order,
    /// Treatment of deletions.
    pub deletions: DeletionPolicy,
    /// Bounds for removals.
    pub removals: RemovalRules,
    /// Permitted edits.
    pub repairs: RepairRules,
    /// Messages whose way to the source is recorded; `None` for none.
    pub arrivals: Option<ArrivalRules>,
}

impl PassOptions {
    /// All settings that decide about messages, as text. If the text changes, folders must be scanned again.
    pub(crate) fn rules(&self, source: &impl Mailbox) -> String {
        format!("{:?}{}", self.filter, source.view())
    }
}

/// Permitted edits of messages that the target refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRules {
    /// The permitted repairs.
    pub allowed: Repairs,
    /// The longest line that the target accepts, as far as is known (bytes, without its end).
    pub longest_line: usize,
    /// The operator's name of the option that permits more.
    pub option: &'static str,
}

impl Default for RepairRules {
    fn default() -> Self {
        Self { allowed: Repairs::default(), longest_line: LONGEST_LINE, option: "-Repair" }
    }
}
