//! A migration batch: a named set of users, and what is wanted of them.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::RemovalRules;
use mailhaul_mail::repair::Repairs;
use uuid::Uuid;

use crate::{deletions::Deletions, gmail_labels::GmailLabels, status::BatchIntent};

/// How long a batch's name may be, in characters.
pub const MAX_NAME: usize = 64;
/// From one incremental sync to the next, where nobody says otherwise.
pub const DEFAULT_SYNC_INTERVAL: Duration = Duration::from_hours(24);
/// The shortest time from one incremental sync to the next.
pub const MIN_SYNC_INTERVAL: Duration = Duration::from_mins(1);

/// A migration batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number for ever.
    pub guid: Uuid,
    /// Its name, unique without regard to case.
    pub name: String,
    /// The endpoint that mail comes from.
    pub source_endpoint: Uuid,
    /// The endpoint that mail goes to; `None` for the archive in the data directory.
    pub target_endpoint: Option<Uuid>,
    /// What the administrator wants.
    pub intent: BatchIntent,
    /// How it is to be done.
    pub settings: BatchSettings,
    /// Who made it.
    pub submitted_by: String,
    /// What was noticed about its CSV file.
    pub validation_warnings: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was started last.
    pub started: Option<Timestamp>,
}

/// How the users of a batch are migrated.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct BatchSettings {
    /// No mail is moved before.
    pub start_after: Option<Timestamp>,
    /// Then the final sync is made.
    pub complete_after: Option<Timestamp>,
    /// The zone in which the administrator's dates are read and shown (IANA).
    pub time_zone: Option<String>,
    /// From one incremental sync to the next.
    pub sync_interval: Duration,
    /// Whether later passes follow the first.
    pub allow_incremental_syncs: bool,
    /// Only these folders, as the administrator writes them; all where empty.
    pub include_folders: Vec<String>,
    /// Not these folders.
    pub exclude_folders: Vec<String>,
    /// These folders go there: source and target.
    pub folder_map: Vec<(String, String)>,
    /// Only messages for which this holds, as the administrator writes it.
    pub content_filter: Option<String>,
    /// What becomes of messages on the target that were deleted on the source.
    pub deletions: Deletions,
    /// With [`Deletions::Mirror`]: percent of a mailbox's copies that one pass may remove.
    pub max_deletion_percent: u8,
    /// Copies that one pass may remove also where they are a larger share.
    pub max_deletion_count: u64,
    /// The newest messages come first.
    pub newest_first: bool,
    /// Of each folder only so many of the newest messages.
    pub max_items: Option<u64>,
    /// Larger messages are skipped (octets).
    pub max_message_size: Option<u64>,
    /// What may be changed in a message that the target refuses.
    #[serde(with = "crate::repair")]
    pub repairs: Repairs,
    /// Where mail of Gmail goes that has several labels.
    pub gmail_labels: GmailLabels,
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
        }
    }
}
