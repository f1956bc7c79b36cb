//! The kinds of pass that a worker makes.

use mailhaul_migration::UserStatus;
use strum::{Display, EnumString};

/// The sorts of pass, in the order of their urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString)]
pub enum PassKind {
    /// The last one.
    Final,
    /// One that keeps in step.
    Incremental,
    /// The first one.
    First,
}

impl PassKind {
    /// The pass that a worker may begin in this state.
    pub fn before(status: UserStatus) -> Option<Self> {
        match status {
            UserStatus::Completing => Some(Self::Final),
            UserStatus::Synced | UserStatus::IncrementalFailed => Some(Self::Incremental),
            UserStatus::Queued => Some(Self::First),
            _ => None,
        }
    }
}
