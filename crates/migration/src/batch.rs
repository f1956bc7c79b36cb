//! Migration batches: sets of users with common settings.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::RemovalRules;
use mailhaul_mail::repair::Repairs;
use uuid::Uuid;

use crate::{deletions::Deletions, gmail_labels::GmailLabels, status::BatchIntent};

/// Maximum characters of a batch's name.
pub const MAX_NAME: usize = 64;
pub const DEFAULT_SYNC_INTERVAL: Duration = Duration::from_hours(24);
pub const MIN_SYNC_INTERVAL: Duration = Duration::from_mins(1);
/// Default time between two reports, as in Exchange.
pub const DEFAULT_REPORT_INTERVAL: Duration = Duration::from_hours(24);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub guid: Uuid,
    /// Unique without regard to case.
    pub name: String,
    pub source_endpoint: Uuid,
    /// Endpoint that mail goes to; `None` is the archive in the data directory.
    pub target_endpoint: Option<Uuid>,
    /// Id of the archive that mail goes to, where several nodes serve one database.
    pub archive: Option<Uuid>,
    /// State that the administrator wants.
    pub intent: BatchIntent,
    pub settings: BatchSettings,
    /// Name of the caller that created it.
    pub submitted_by: String,
    /// Warnings about its CSV file.
    pub validation_warnings: Vec<String>,
    pub created: Timestamp,
    /// Time of the last start.
    pub started: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct BatchSettings {
    /// Time before which no mail is moved.
    pub start_after: Option<Timestamp>,
    /// Time of the final sync.
    pub complete_after: Option<Timestamp>,
    /// Time zone of the administrator's dates (IANA).
    pub time_zone: Option<String>,
    pub sync_interval: Duration,
    /// True if incremental syncs follow the first sync.
    pub allow_incremental_syncs: bool,
    /// Only these folders, as the administrator writes them; empty for all.
    pub include_folders: Vec<String>,
    pub exclude_folders: Vec<String>,
    /// Source and target of folders with another target than planned.
    pub folder_map: Vec<(String, String)>,
    /// Only messages that match, as the administrator writes it.
    pub content_filter: Option<String>,
    /// Handling of copies whose message was deleted on the source.
    pub deletions: Deletions,
    /// Maximum share of a mailbox's copies that one pass removes, in percent. Applies to
    /// [`Deletions::Mirror`].
    pub max_deletion_percent: u8,
    /// Number of copies that one pass may remove, even if they are more than that share.
    pub max_deletion_count: u64,
    /// True if the newest messages are copied first.
    pub newest_first: bool,
    /// Maximum number of messages per folder; the newest are copied.
    pub max_items: Option<u64>,
    /// Maximum message size in bytes; larger messages are skipped.
    pub max_message_size: Option<u64>,
    /// Edits allowed for messages that the target refuses.
    #[serde(with = "crate::repair")]
    pub repairs: Repairs,
    /// Handling of Gmail messages with several labels.
    pub gmail_labels: GmailLabels,
    /// Addresses that get the notifications of the batch.
    pub notification_emails: Vec<String>,
    /// Time between two reports by mail; 0 for none.
    pub report_interval: Duration,
    /// True if no reports are sent.
    pub skip_reports: bool,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            start_after: None,
            complete_after: None,
            time_zone: None,
            sync_interval: DEFAULT_SYNC_INTERVAL,
            allow_incremental_syncs: true,
            include_folders: Vec::new(),
            exclude_folders: Vec::new(),
            folder_map: Vec::new(),
            content_filter: None,
            deletions: Deletions::Keep,
            max_deletion_percent: RemovalRules::default().percent,
            max_deletion_count: RemovalRules::default().messages,
            newest_first: false,
            max_items: None,
            max_message_size: None,
            repairs: Repairs::default(),
            gmail_labels: GmailLabels::default(),
            notification_emails: Vec::new(),
            report_interval: DEFAULT_REPORT_INTERVAL,
            skip_reports: false,
        }
    }
}
