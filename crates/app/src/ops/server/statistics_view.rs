//! View of the progress of all batches together.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ops::{batch::view::Counts, shared::names::IMAP};

/// Progress of all batches together.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationStatistics {
    /// Always `MigrationStatistics`: there is one.
    identity: &'static str,
    /// `IMAP`.
    migration_type: &'static str,
    /// Number of batches.
    batch_count: u64,
    #[serde(flatten)]
    counts: Counts,
    /// Messages in the source mailboxes, as last listed.
    total_item_count: u64,
    /// Messages of these that are on the targets.
    synced_item_count: u64,
    /// Messages that the last passes skipped.
    skipped_item_count: u64,
    /// Bytes sent, over all passes.
    bytes_transferred: u64,
}

impl MigrationStatistics {
    pub(crate) fn of(batches: usize, counts: Counts, totals: &mailhaul_migration::Statistics) -> Self {
        Self {
            identity: "MigrationStatistics",
            migration_type: IMAP,
            batch_count: batches as u64,
            counts,
            total_item_count: totals.total_items,
            synced_item_count: totals.synced_items,
            skipped_item_count: totals.skipped_items,
            bytes_transferred: totals.bytes_transferred,
        }
    }
}
