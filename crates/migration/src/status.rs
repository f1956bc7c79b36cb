//! The life of a migration user and of a batch: Exchange's names, one table of transitions, one roll-up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// Where a migration user stands. Exchange's names; those that an IMAP migration never reaches are left out.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum UserStatus {
    /// Waits for a place at the endpoint, for its time, or for another try.
    Queued,
    /// Both mailboxes are being opened for the first pass.
    Validating,
    /// The first pass is under way.
    Syncing,
    /// The target holds what the source held; incremental syncs follow.
    Synced,
    /// A later pass is under way.
    IncrementalSyncing,
    /// A later pass failed; the next one tries again.
    IncrementalFailed,
    /// Synced once, and stopped.
    IncrementalStopped,
    /// To be stopped at the end of a window.
    Stopping,
    /// Never synced, and not started or stopped.
    Stopped,
    /// The final pass waits or is under way.
    Completing,
    /// The final pass failed.
    CompletionFailed,
    /// The final pass is done; no other follows.
    Completed,
    /// The final pass is done, and messages were skipped.
    CompletedWithWarnings,
    /// The first pass failed, and trying again would not help.
    Failed,
}

/// What happens to a migration user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, VariantArray)]
pub enum UserEvent {
    /// The administrator starts, resumes or retries it.
    Start,
    /// A worker took it.
    Claimed,
    /// Both mailboxes are open.
    Validated,
    /// The pass dealt with every message.
    Synced,
    /// The pass dealt with every message, and skipped some.
    SyncedWithSkippedItems,
    /// The pass failed, and trying again would not help.
    Failed,
    /// The pass broke off; it goes on later.
    Deferred,
    /// The administrator stops it.
    Stop,
    /// The stopped pass has ended.
    Halted,
    /// It is time for the final pass.
    Complete,
}

/// An event that cannot happen in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user that is {status} cannot take the event {event}")]
pub struct IllegalEvent {
    /// The state.
    pub status: UserStatus,
    /// The event.
    pub event: UserEvent,
}

/// Exchange's coarse view of [`UserStatus`].
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum StatusSummary {
    /// Something is to be done or under way.
    Active,
    /// Synced at least once, and kept in step.
    Synced,
    /// Done for good.
    Completed,
    /// Failed.
    Failed,
    /// Stopped, or not started.
    Stopped,
}

impl UserStatus {
    /// The state after the event: the whole life of a user, for workers, administrators and recovery alike.
    /// `has_synced` tells whether a pass has ever reached its end.
    ///
    /// # Errors
    /// [`IllegalEvent`] for what cannot happen in this state; nothing changes then.
    #[expect(clippy::match_same_arms, reason = "one group of lines for each state")]
    pub fn on(self, event: UserEvent, has_synced: bool) -> Result<Self, IllegalEvent> {
        use UserEvent as E;
        use UserStatus as S;
        let halted = if has_synced { S::IncrementalStopped } else { S::Stopped };
        Ok(match (self, event) {
            (S::Queued, E::Claimed) => S::Validating,
            (S::Queued, E::Stop) => S::Stopped,

            // Claimed again: the worker before died, and its lease ran out.
            (S::Validating | S::Syncing, E::Claimed) => S::Validating,
            (S::Validating | S::Syncing, E::Validated) => S::Syncing,
            (S::Validating | S::Syncing, E::Synced | E::SyncedWithSkippedItems) => S::Synced,
            (S::Validating | S::Syncing, E::Failed) => S::Failed,
            (S::Validating | S::Syncing, E::Deferred) => S::Queued,
            (S::Validating | S::Syncing | S::IncrementalSyncing | S::Completing, E::Stop) => S::Stopping,

            (S::Synced | S::IncrementalFailed, E::Claimed) => S::IncrementalSyncing,
            (S::Synced | S::IncrementalFailed | S::CompletionFailed, E::Stop) => S::IncrementalStopped,
            (
                S::Synced
                | S::IncrementalFailed
                | S::IncrementalStopped
                | S::CompletionFailed
                | S::CompletedWithWarnings,
                E::Complete,
            ) => S::Completing,

            (S::IncrementalSyncing, E::Claimed | E::Validated) => S::IncrementalSyncing,
            (S::IncrementalSyncing, E::Synced | E::SyncedWithSkippedItems | E::Deferred) => S::Synced,
            (S::IncrementalSyncing, E::Failed) => S::IncrementalFailed,

            // A pass that ends by itself before it is stopped is stopped all the same.
            (S::Stopping, E::Validated) => S::Stopping,
            (S::Stopping, E::Synced | E::SyncedWithSkippedItems) => S::IncrementalStopped,
            (S::Stopping, E::Halted | E::Failed | E::Deferred) => halted,

            (S::Completing, E::Claimed | E::Validated | E::Deferred) => S::Completing,
            (S::Completing, E::Synced) => S::Completed,
            (S::Completing, E::SyncedWithSkippedItems) => S::CompletedWithWarnings,
            (S::Completing, E::Failed) => S::CompletionFailed,

            (S::Stopped | S::Failed, E::Start) => S::Queued,
            (S::IncrementalFailed | S::IncrementalStopped, E::Start) => S::Synced,
            (S::CompletionFailed | S::CompletedWithWarnings, E::Start) => S::Completing,

            (status, event) => return Err(IllegalEvent { status, event }),
        })
    }

    /// Exchange's coarse view.
    pub fn summary(self) -> StatusSummary {
        match self {
            Self::Queued
            | Self::Validating
            | Self::Syncing
            | Self::IncrementalSyncing
            | Self::Stopping
            | Self::Completing => StatusSummary::Active,
            Self::Synced => StatusSummary::Synced,
            Self::Completed | Self::CompletedWithWarnings => StatusSummary::Completed,
            Self::Failed | Self::IncrementalFailed | Self::CompletionFailed => StatusSummary::Failed,
            Self::Stopped | Self::IncrementalStopped => StatusSummary::Stopped,
        }
    }

    /// Whether a worker may be at it.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            Self::Validating | Self::Syncing | Self::IncrementalSyncing | Self::Stopping | Self::Completing
        )
    }
}

/// What the administrator wants of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, VariantArray)]
pub enum BatchIntent {
    /// Made, not started.
    Created,
    /// Started.
    Run,
    /// Stopped.
    Stop,
}

/// Where a batch stands. Exchange's names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum BatchStatus {
    /// Made, not started.
    Created,
    /// Started; no user has got a place yet.
    Starting,
    /// Started; its time has not come.
    Waiting,
    /// First passes are under way.
    Syncing,
    /// Later passes are under way.
    IncrementalSyncing,
    /// Every user is synced.
    Synced,
    /// Every user is dealt with, and some failed.
    SyncedWithErrors,
    /// Workers come to an end.
    Stopping,
    /// Stopped.
    Stopped,
    /// Final passes wait or are under way.
    Completing,
    /// Every user is completed.
    Completed,
    /// Every user is dealt with for good, and some failed.
    CompletedWithErrors,
    /// Every user failed.
    Failed,
}

/// How many users of a batch are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts([u64; UserStatus::VARIANTS.len()]);

impl StatusCounts {
    /// Counts so many more.
    pub fn add(&mut self, status: UserStatus, users: u64) {
        self.0[status as usize] += users;
    }

    /// How many are in this state.
    pub fn of(&self, status: UserStatus) -> u64 {
        self.0[status as usize]
    }

    /// How many are in a state of this kind.
    pub fn in_summary(&self, summary: StatusSummary) -> u64 {
        UserStatus::VARIANTS.iter().filter(|it| it.summary() == summary).map(|it| self.of(*it)).sum()
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl BatchStatus {
    /// The batch's state, from what the administrator wants and where its users stand. `is_waiting`: its `StartAfter` is
    /// still to come.
    pub fn of(intent: BatchIntent, is_waiting: bool, counts: &StatusCounts) -> Self {
        use UserStatus as U;
        let of = |status| counts.of(status);
        let total = counts.total();
        let failed = counts.in_summary(StatusSummary::Failed);
        let stopped = counts.in_summary(StatusSummary::Stopped);
        let first = of(U::Validating) + of(U::Syncing);
        match intent {
            BatchIntent::Created => return Self::Created,
            BatchIntent::Stop if counts.in_summary(StatusSummary::Active) > 0 => return Self::Stopping,
            BatchIntent::Stop => return Self::Stopped,
            BatchIntent::Run => {}
        }
        if is_waiting && of(U::Queued) > 0 {
            Self::Waiting
        } else if of(U::Queued) == total && total > 0 {
            Self::Starting
        } else if first + of(U::Queued) > 0 {
            Self::Syncing
        } else if of(U::Completing) > 0 {
            Self::Completing
        } else if of(U::IncrementalSyncing) > 0 {
            Self::IncrementalSyncing
        } else if of(U::Stopping) > 0 {
            Self::Stopping
        } else if stopped == total {
            Self::Stopped
        } else if failed == total {
            Self::Failed
        } else if of(U::Synced) == 0 && counts.in_summary(StatusSummary::Completed) > 0 {
            if failed > 0 || of(U::CompletedWithWarnings) > 0 {
                Self::CompletedWithErrors
            } else {
                Self::Completed
            }
        } else if failed > 0 {
            Self::SyncedWithErrors
        } else {
            Self::Synced
        }
    }
}

#[cfg(test)]
mod tests;
