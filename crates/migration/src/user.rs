//! Migration users: one mailbox of a batch, and its progress.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{check::MailboxCheck, failure::PassFailure, score::DataConsistencyScore, status::UserStatus};

/// One mailbox of a batch. Its passwords are in the vault, under its GUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationUser {
    pub guid: Uuid,
    pub batch: Uuid,
    /// Row in the CSV file; the header is row 1.
    pub row: u32,
    /// Identity: the target mailbox, as the administrator names it.
    pub email_address: String,
    /// Login at the source.
    pub user_name: String,
    /// Folder on the source that is migrated as the whole mailbox.
    pub user_root: Option<String>,
    /// Login at the target.
    pub target_user_name: String,
    pub status: UserStatus,
    /// Time of the last status change.
    pub status_since: Timestamp,
    /// Time of the next pass; `None` if none is planned.
    pub due: Option<Timestamp>,
    /// Number of interrupted passes in a row.
    pub attempts: u32,
    /// The user's own `StartAfter`, which overrides the batch's.
    pub start_after: Option<Timestamp>,
    /// The user's own `CompleteAfter`, which overrides the batch's.
    pub complete_after: Option<Timestamp>,
    /// Reason why the last pass failed or was interrupted.
    pub failure: Option<PassFailure>,
    /// Time at which the first successful pass began.
    pub initial_synced: Option<Timestamp>,
    /// Time at which the last successful pass began.
    pub last_synced: Option<Timestamp>,
    pub statistics: Statistics,
    /// Time up to which the administrator approved skipped messages.
    pub approved: Option<Timestamp>,
    pub check: MailboxCheck,
}

impl MigrationUser {
    /// Consistency of the target with the source; `None` before the first successful pass.
    pub fn score(&self) -> Option<DataConsistencyScore> {
        let Statistics { total_items, skipped_items, .. } = self.statistics;
        self.last_synced.map(|_| DataConsistencyScore::of(total_items, skipped_items))
    }
}

/// Numbers of a user, over all passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages in the migrated folders of the source mailbox, as last listed.
    pub total_items: u64,
    /// Messages of these that are on the target.
    pub synced_items: u64,
    /// Messages that the last pass skipped.
    pub skipped_items: u64,
    /// Copies that the last pass did not remove, because one pass may not remove so many.
    pub waiting_deletions: u64,
    /// Bytes that the running or last pass has to send.
    pub estimated_bytes: u64,
    /// Bytes sent, over all passes.
    pub bytes_transferred: u64,
    /// Bytes sent by the running or last pass.
    pub pass_bytes: u64,
    /// Messages sent by the running or last pass.
    pub pass_items: u64,
    /// Milliseconds spent waiting for a connection slot.
    pub queued_millis: u64,
    /// Milliseconds spent in passes.
    pub in_progress_millis: u64,
    /// Milliseconds spent synced, between passes.
    pub synced_millis: u64,
    /// Milliseconds lost in passes: from a broken connection until the pass continues.
    pub stalled_millis: u64,
}
