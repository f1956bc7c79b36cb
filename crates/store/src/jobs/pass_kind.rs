//! The kinds of pass that a worker runs.

use mailhaul_migration::UserStatus;
use strum::{Display, EnumString};

/// A kind of pass, in the order of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString)]
pub enum PassKind {
    /// The completion.
    Final,
    /// A later sync that copies changes.
    Incremental,
    /// The first sync, which copies everything.
    First,
}

impl PassKind {
    /// Returns the pass that a worker may begin in this status.
    pub fn before(status: UserStatus) -> Option<Self> {
        match status {
            UserStatus::Completing => Some(Self::Final),
            UserStatus::Synced | UserStatus::IncrementalFailed => Some(Self::Incremental),
            UserStatus::Queued => Some(Self::First),
            _ => None,
        }
    }
}
