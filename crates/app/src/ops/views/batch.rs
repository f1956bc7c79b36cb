//! A migration batch, with the numbers of its users.

use jiff::{Timestamp, tz::TimeZone};
use mailhaul_migration::{
    BatchStatus, DataConsistencyScore, Deletions, GmailLabels, Guid, StatusCounts, StatusSummary, UserStatus,
    unaccepted_domains,
};
use mailhaul_operations::TimeSpan;
use mailhaul_store::{BatchOverview, Parking, WaitingUsers};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

use super::{IMAP, Moment, ReportLine, batch_message::message};
use crate::{ops::rules::supported_actions, text, time_zones::zone};

/// How many users are in which state. `TotalCount` is the sum of `PendingCount`, `ActiveCount`, `StoppedCount`,
/// `SyncedCount`, `FinalizedCount` and `FailedCount`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "Exchange's names")]
pub(crate) struct Counts {
    /// Users.
    total_count: u64,
    /// Those that wait for a place, for their time, or for another try.
    pending_count: u64,
    /// Those under way.
    active_count: u64,
    /// Those that are stopped, or not started.
    stopped_count: u64,
    /// Those that are synced, and wait for the next pass.
    synced_count: u64,
    /// Those that are completed.
    finalized_count: u64,
    /// Those that failed.
    failed_count: u64,
    /// Of the failed, those in their first pass.
    failed_initial_sync_count: u64,
    /// Of the failed, those in a later pass.
    failed_incremental_sync_count: u64,
    /// Of the failed, those in their final pass.
    failed_completion_count: u64,
    /// Of the completed, those of which messages were skipped.
    completed_with_warning_count: u64,
    /// Always 0: no mailbox is made.
    provisioned_count: u64,
}

impl From<&StatusCounts> for Counts {
    fn from(counts: &StatusCounts) -> Self {
        let pending_count = counts.of(UserStatus::Queued);
        Self {
            total_count: counts.total(),
            pending_count,
            active_count: counts.in_summary(StatusSummary::Active) - pending_count,
            stopped_count: counts.in_summary(StatusSummary::Stopped),
            synced_count: counts.in_summary(StatusSummary::Synced),
            finalized_count: counts.in_summary(StatusSummary::Completed),
            failed_count: counts.in_summary(StatusSummary::Failed),
            failed_initial_sync_count: counts.of(UserStatus::Failed),
            failed_incremental_sync_count: counts.of(UserStatus::IncrementalFailed),
            failed_completion_count: counts.of(UserStatus::CompletionFailed),
            completed_with_warning_count: counts.of(UserStatus::CompletedWithWarnings),
            provisioned_count: 0,
        }
    }
}

/// A migration batch. Times are in its time zone; their twins ending in UTC are in UTC.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationBatch {
    /// Its name.
    identity: String,
    /// Its number for ever.
    batch_guid: Guid,
    /// Where it stands.
    pub(crate) status: BatchStatus,
    /// The same in a sentence, with what can be done next.
    pub(crate) message: String,
    /// `IMAP`.
    migration_type: &'static str,
    /// `Onboarding`.
    batch_direction: &'static str,
    /// The endpoint that mail comes from.
    source_endpoint: String,
    /// The endpoint that mail goes to, or `Archive` for the archive in the data directory.
    target_endpoint: String,
    /// Who made it.
    submitted_by_user: String,
    #[serde(flatten)]
    counts: Counts,
    /// Of the messages that the source mailboxes hold, how many hundredths are dealt with.
    percentage_complete: u64,
    /// Messages in the source mailboxes, as last listed.
    total_item_count: u64,
    /// Messages that the targets hold of them.
    synced_item_count: u64,
    /// Messages that the last passes skipped.
    skipped_item_count: u64,
    /// Octets sent, over all passes.
    bytes_transferred: u64,
    /// The worst of its users.
    data_consistency_score: Option<DataConsistencyScore>,
    /// Copies that wait to be removed, because one sync does not decide about so many; ValidationWarnings names the users.
    waiting_deletion_count: u64,
    /// Users of whom messages were skipped that nobody has approved.
    unapproved_user_count: u64,
    /// Users whose mailboxes were opened, or tried.
    checked_count: u64,
    /// Of these, users with a mailbox that cannot be opened: Get-MigrationUser -CheckFailed says which, and why.
    check_failed_count: u64,
    /// Users who are still to be checked.
    check_pending_count: u64,
    /// When it was made.
    creation_date_time: Moment,
    #[serde(rename = "CreationDateTimeUTC")]
    creation_date_time_utc: Timestamp,
    /// When it was started last.
    start_date_time: Option<Moment>,
    #[serde(rename = "StartDateTimeUTC")]
    start_date_time_utc: Option<Timestamp>,
    /// When the last of its users was synced for the first time.
    initial_sync_date_time: Option<Moment>,
    #[serde(rename = "InitialSyncDateTimeUTC")]
    initial_sync_date_time_utc: Option<Timestamp>,
    /// From its start until then.
    initial_sync_duration: Option<TimeSpan>,
    /// The oldest last sync of its users: everything that arrived before is on the target.
    last_synced_date_time: Option<Moment>,
    #[serde(rename = "LastSyncedDateTimeUTC")]
    last_synced_date_time_utc: Option<Timestamp>,
    /// No mail is moved before.
    start_after: Option<Moment>,
    #[serde(rename = "StartAfterUTC")]
    start_after_utc: Option<Timestamp>,
    /// Then the final sync is made.
    complete_after: Option<Moment>,
    #[serde(rename = "CompleteAfterUTC")]
    complete_after_utc: Option<Timestamp>,
    /// The zone of its times.
    time_zone: String,
    /// Whether later passes follow the first.
    allow_incremental_syncs: bool,
    /// From one later pass to the next.
    sync_interval: TimeSpan,
    /// Only these folders; all where empty.
    included_folders: Vec<String>,
    /// Not these folders.
    excluded_folders: Vec<String>,
    /// Where folders go that do not go to their like.
    folder_map: BTreeMap<String, String>,
    /// Only messages for which this holds.
    content_filter: Option<String>,
    /// What follows a deletion on the source.
    deletions: Deletions,
    /// Percent of a mailbox's copies that one sync removes at most.
    max_deletion_percent: u8,
    /// Copies that one sync removes also where they are a larger share.
    max_deletion_count: u64,
    /// Whether the newest messages come first.
    newest_first: bool,
    /// Of each folder only so many of the newest messages.
    max_items: Option<u64>,
    /// Larger messages are skipped (octets).
    max_message_size: Option<u64>,
    /// What may be changed in messages that the target refuses.
    repair: Vec<String>,
    /// What becomes of a message of Gmail that has several labels.
    gmail_labels: GmailLabels,
    /// What was noticed about its CSV file, the domains of which the target opens no mailbox, and the users of whom copies wait
    /// to be removed.
    validation_warnings: Vec<String>,
    /// How many these are.
    validation_warning_count: u64,
    /// What can be done with it now.
    supported_actions: Vec<&'static str>,
    /// What is told about it, where that was asked for.
    pub(crate) report: Option<Vec<ReportLine>>,
}

/// What a batch's endpoints are called.
pub(crate) struct BatchNames {
    pub(crate) source: String,
    pub(crate) target: String,
    /// The one of them that is left alone now.
    pub(crate) parked: Option<(String, Parking)>,
}

impl MigrationBatch {
    /// The batch and its users as they are now.
    pub(crate) fn of(overview: BatchOverview, names: BatchNames, now: Timestamp) -> Self {
        let status = overview.status(now);
        let message = message(status, &overview, names.parked.as_ref(), now);
        let BatchOverview {
            batch,
            counts,
            totals,
            worst,
            unapproved,
            initial_synced,
            last_synced,
            checks,
            waiting_deletions,
            ..
        } = overview;
        let mut validation_warnings = batch.validation_warnings;
        validation_warnings.extend(unaccepted_domains(&checks.domains, &names.target));
        validation_warnings.extend(waiting(&waiting_deletions, totals.waiting_deletions, &batch.name));
        let settings = batch.settings;
        // The name was looked up when it was set.
        let zone = zone(settings.time_zone.as_deref()).unwrap_or(TimeZone::UTC);
        let local = |at: Option<Timestamp>| at.map(|at| Moment::in_zone(at, &zone));
        let initial_sync_duration = match (batch.started, initial_synced) {
            (Some(start), Some(end)) => Duration::try_from(end.duration_since(start)).ok().map(TimeSpan),
            _ => None,
        };
        Self {
            identity: batch.name,
            batch_guid: batch.guid,
            status,
            message,
            migration_type: IMAP,
            batch_direction: "Onboarding",
            source_endpoint: names.source,
            target_endpoint: names.target,
            submitted_by_user: batch.submitted_by,
            supported_actions: supported_actions(status),
            counts: Counts::from(&counts),
            percentage_complete: percentage(totals.total_items, totals.synced_items + totals.skipped_items),
            total_item_count: totals.total_items,
            synced_item_count: totals.synced_items,
            skipped_item_count: totals.skipped_items,
            bytes_transferred: totals.bytes_transferred,
            data_consistency_score: last_synced.map(|_| worst),
            waiting_deletion_count: totals.waiting_deletions,
            unapproved_user_count: unapproved,
            checked_count: checks.checked,
            check_failed_count: checks.failed,
            check_pending_count: checks.pending,
            creation_date_time: Moment::in_zone(batch.created, &zone),
            creation_date_time_utc: batch.created,
            start_date_time: local(batch.started),
            start_date_time_utc: batch.started,
            initial_sync_date_time: local(initial_synced),
            initial_sync_date_time_utc: initial_synced,
            initial_sync_duration,
            last_synced_date_time: local(last_synced),
            last_synced_date_time_utc: last_synced,
            start_after: local(settings.start_after),
            start_after_utc: settings.start_after,
            complete_after: local(settings.complete_after),
            complete_after_utc: settings.complete_after,
            time_zone: settings.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            allow_incremental_syncs: settings.allow_incremental_syncs,
            sync_interval: TimeSpan(settings.sync_interval),
            included_folders: settings.include_folders,
            excluded_folders: settings.exclude_folders,
            folder_map: settings.folder_map.into_iter().collect(),
            content_filter: settings.content_filter,
            deletions: settings.deletions,
            max_deletion_percent: settings.max_deletion_percent,
            max_deletion_count: settings.max_deletion_count,
            newest_first: settings.newest_first,
            max_items: settings.max_items,
            max_message_size: settings.max_message_size,
            repair: settings.repairs.iter().map(|it| it.to_string()).collect(),
            gmail_labels: settings.gmail_labels,
            validation_warning_count: validation_warnings.len() as u64,
            validation_warnings,
            report: None,
        }
    }
}

/// Says whose copies wait to be removed, and how that is confirmed; `None` where there are none.
fn waiting(users: &WaitingUsers, copies: u64, batch: &str) -> Option<String> {
    let further = users.count.saturating_sub(users.first.len() as u64);
    let more = if further > 0 { format!(" and {further} more") } else { String::new() };
    if users.count == 0 {
        return None;
    }
    Some(format!(
        "not removed yet: {} of {} ({}{more}), whose messages vanished from the source. A second sync decides, or \
         Set-MigrationBatch \"{batch}\" -ConfirmDeletions, or Set-MigrationUser -ConfirmDeletions for one user. \
         Get-MigrationUserStatistics -IncludeReport says why.",
        text::count(copies, "copy", "copies"),
        text::count(users.count, "user", "users"),
        users.first.join(", ")
    ))
}

/// How many hundredths of all are done; nothing of nothing is nothing yet.
pub(super) fn percentage(all: u64, done: u64) -> u64 {
    done.saturating_mul(100).checked_div(all).unwrap_or(0).min(100)
}
