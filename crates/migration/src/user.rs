//! A migration user: one mailbox of a batch, and how far it is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};
use uuid::Uuid;

use crate::{check::MailboxCheck, score::DataConsistencyScore, status::UserStatus};

/// One mailbox of a batch. Its passwords are in the vault, under its GUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationUser {
    /// Its number for ever.
    pub guid: Uuid,
    /// Its batch.
    pub batch: Uuid,
    /// Its row in the CSV file; the header is row 1.
    pub row: u32,
    /// The target mailbox, as the administrator names it: its identity.
    pub email_address: String,
    /// The login at the source.
    pub user_name: String,
    /// The folder at the source that is taken for the whole mailbox.
    pub user_root: Option<String>,
    /// The login at the target.
    pub target_user_name: String,
    /// Where it stands.
    pub status: UserStatus,
    /// Since when.
    pub status_since: Timestamp,
    /// When a worker shall take it next; `None` for never by itself.
    pub due: Option<Timestamp>,
    /// How often its pass broke off in a row.
    pub attempts: u32,
    /// The user's own `StartAfter`, before the batch's.
    pub start_after: Option<Timestamp>,
    /// The user's own `CompleteAfter`, before the batch's.
    pub complete_after: Option<Timestamp>,
    /// Why the last pass failed or broke off.
    pub failure: Option<Failure>,
    /// When the first pass reached its end.
    pub initial_synced: Option<Timestamp>,
    /// When a pass reached its end last.
    pub last_synced: Option<Timestamp>,
    /// Its numbers.
    pub statistics: Statistics,
    /// Until when the administrator has approved what was skipped.
    pub approved: Option<Timestamp>,
    /// Whether its mailboxes can be opened.
    pub check: MailboxCheck,
}

impl MigrationUser {
    /// How consistent its target is with its source; `None` where no pass has ever reached its end.
    pub fn score(&self) -> Option<DataConsistencyScore> {
        let Statistics { total_items, skipped_items, .. } = self.statistics;
        self.last_synced.map(|_| DataConsistencyScore::of(total_items, skipped_items))
    }
}

/// Why a pass failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class, by which failures are counted.
    pub class: FailureClass,
    /// One sentence, with the server's words.
    pub message: String,
    /// What can be done about it, where there is something.
    pub advice: Option<String>,
}

/// The sorts of failure that are told apart and counted.
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
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum FailureClass {
    /// The server refused the login, or the mailbox is not open to it.
    Authentication,
    /// The server could not be reached, or the connection broke.
    Connection,
    /// The server asks for patience.
    Throttled,
    /// The target is full.
    Quota,
    /// The server refused a folder or a command.
    Refused,
    /// The database or the data directory.
    Storage,
    /// A mistake of this program.
    Internal,
}

/// What was done for a user so far, over all passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages in the source mailbox as last listed, in folders that are migrated.
    pub total_items: u64,
    /// Messages that the target holds of them.
    pub synced_items: u64,
    /// Messages skipped by the last pass.
    pub skipped_items: u64,
    /// Copies that the last pass did not remove yet, because one pass does not decide about so many.
    pub waiting_deletions: u64,
    /// Octets of the messages that are to be sent by the pass that runs or ran last.
    pub estimated_bytes: u64,
    /// Octets sent, over all passes.
    pub bytes_transferred: u64,
    /// Octets sent by the pass that runs or ran last.
    pub pass_bytes: u64,
    /// Messages sent by the pass that runs or ran last.
    pub pass_items: u64,
    /// Milliseconds spent waiting for a place.
    pub queued_millis: u64,
    /// Milliseconds under way.
    pub in_progress_millis: u64,
    /// Milliseconds in step, between passes.
    pub synced_millis: u64,
    /// Milliseconds under way in which nothing arrived, after something broke.
    pub stalled_millis: u64,
}
