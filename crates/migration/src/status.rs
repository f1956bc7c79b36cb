//! Status of users and batches, with Exchange's names: one table of transitions for users, one
//! roll-up for batches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// Status of a migration user. Exchange's names, without those that IMAP migrations never reach.
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
    /// Waits for a connection slot, for its time, or for a retry.
    Queued,
    /// Both mailboxes are being opened for the first pass.
    Validating,
    /// The first pass is running.
    Syncing,
    /// The target holds all that the source held; incremental syncs follow.
    Synced,
    /// An incremental sync is running.
    IncrementalSyncing,
    /// An incremental sync failed; the next one retries.
    IncrementalFailed,
    /// Stopped after at least one successful pass.
    IncrementalStopped,
    /// Being stopped: the messages in transfer are finished first.
    Stopping,
    /// Not started, or stopped before the first successful pass.
    Stopped,
    /// The final pass waits or is running.
    Completing,
    /// The final pass failed.
    CompletionFailed,
    /// The final pass is finished; no sync follows.
    Completed,
    /// The final pass is finished, and messages were skipped.
    CompletedWithWarnings,
    /// The first pass failed, and a retry would not help.
    Failed,
}

/// Event in the life of a migration user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, VariantArray)]
pub enum UserEvent {
    /// The administrator starts, resumes or retries it.
    Start,
    /// A worker claimed it.
    Claimed,
    /// Both mailboxes are open.
    Validated,
    /// The pass handled every message.
    Synced,
    /// The pass handled every message, and skipped some.
    SyncedWithSkippedItems,
    /// The pass failed, and a retry would not help.
    Failed,
    /// The pass was interrupted; it continues later.
    Deferred,
    /// The administrator stops it.
    Stop,
    /// The stopped pass has ended.
    Halted,
    /// The final pass is due.
    Complete,
}

/// Event that cannot happen in this status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user with the status {status} cannot take the event {event}")]
pub struct IllegalEvent {
    pub status: UserStatus,
    pub event: UserEvent,
}

/// Exchange's status groups.
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
    /// Waiting or running.
    Active,
    /// Synced at least once; incremental syncs follow.
    Synced,
    /// Finished for good.
    Completed,
    /// Failed.
    Failed,
    /// Stopped, or not started.
    Stopped,
}

impl UserStatus {
    /// Returns the status after the event, for workers, administrators and recovery alike.
    ///
    /// `has_synced` is true after the first successful pass.
    ///
    /// # Errors
    /// [`IllegalEvent`] if the event cannot happen in this status. The status then stays.
    #[expect(clippy::match_same_arms, reason = "one group of lines for each state")]
    pub fn on(self, event: UserEvent, has_synced: bool) -> Result<Self, IllegalEvent> {
        use UserEvent as E;
        use UserStatus as S;
        let halted = if has_synced { S::IncrementalStopped } else { S::Stopped };
        Ok(match (self, event) {
            (S::Queued, E::Claimed) => S::Validating,
            (S::Queued, E::Stop) => S::Stopped,

            // Claimed again: the lease of a dead worker ran out.
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

            // A pass that ends by itself while being stopped is stopped too.
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

    /// Exchange's status group.
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

    /// True if a worker may be running its pass.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            Self::Validating | Self::Syncing | Self::IncrementalSyncing | Self::Stopping | Self::Completing
        )
    }
}

/// State that the administrator wants for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, VariantArray)]
pub enum BatchIntent {
    /// Created, not started.
    Created,
    Run,
    Stop,
}

/// Status of a batch. Exchange's names.
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
    /// Created, not started.
    Created,
    /// Started; no user has a connection slot yet.
    Starting,
    /// Started; its start time is in the future.
    Waiting,
    /// First passes are running.
    Syncing,
    /// Incremental syncs are running.
    IncrementalSyncing,
    /// Every user is synced.
    Synced,
    /// Every user is finished for now, and some failed.
    SyncedWithErrors,
    /// Running passes are ending.
    Stopping,
    /// Stopped.
    Stopped,
    /// Final passes wait or are running.
    Completing,
    /// Every user is completed.
    Completed,
    /// Every user is finished for good, and some failed.
    CompletedWithErrors,
    /// Every user failed.
    Failed,
}

/// Number of a batch's users by status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts([u64; UserStatus::VARIANTS.len()]);

impl StatusCounts {
    pub fn add(&mut self, status: UserStatus, users: u64) {
        self.0[status as usize] += users;
    }

    /// Number of users with this status.
    pub fn of(&self, status: UserStatus) -> u64 {
        self.0[status as usize]
    }

    /// Number of users in this status group.
    pub fn in_summary(&self, summary: StatusSummary) -> u64 {
        UserStatus::VARIANTS.iter().filter(|it| it.summary() == summary).map(|it| self.of(*it)).sum()
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl BatchStatus {
    /// Computes the status of a batch from the administrator's intent and its users. `is_waiting`
    /// is true while its `StartAfter` is in the future.
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
