//! View of a batch, with the numbers of its users.

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

use super::{estimate::EstimatedCompletion, message::message};
use crate::{
    ops::shared::{log_line::Report, moment::Moment, names::IMAP, revision, status_rules::supported_actions},
    output::text,
    time_zones::zone,
};

/// Number of users by state. `TotalCount` is the sum of `PendingCount`, `ActiveCount`,
/// `StoppedCount`, `SyncedCount`, `FinalizedCount` and `FailedCount`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "Exchange's names")]
pub(crate) struct Counts {
    /// All users.
    total_count: u64,
    /// Users that wait for a connection slot, for their time, or for a retry.
    pending_count: u64,
    /// Users that are being synced now.
    active_count: u64,
    /// Users that are stopped, or not started.
    stopped_count: u64,
    /// Users that are synced and wait for the next pass.
    synced_count: u64,
    /// Completed users.
    finalized_count: u64,
    /// Failed users.
    failed_count: u64,
    /// Users that failed in their first pass.
    failed_initial_sync_count: u64,
    /// Users that failed in a later pass.
    failed_incremental_sync_count: u64,
    /// Users that failed in their final pass.
    failed_completion_count: u64,
    /// Completed users with skipped messages.
    completed_with_warning_count: u64,
    /// Always 0: mailhaul creates no mailboxes.
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

/// Migration batch. Times are in the batch's time zone; properties ending in UTC are in UTC.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationBatch {
    /// Name of the batch.
    identity: String,
    /// Permanent id.
    batch_guid: Guid,
    /// Revision of the settings, for -IfRevision of Set-MigrationBatch.
    revision: String,
    /// Status of the batch.
    pub(crate) status: BatchStatus,
    /// Status in a sentence, with the next step.
    pub(crate) message: String,
    /// `IMAP`.
    migration_type: &'static str,
    /// `Onboarding`.
    batch_direction: &'static str,
    /// Endpoint that mail comes from.
    source_endpoint: String,
    /// Endpoint that mail goes to, or `Archive` for the archive in the data directory.
    target_endpoint: String,
    /// Caller that created the batch.
    submitted_by_user: String,
    #[serde(flatten)]
    counts: Counts,
    /// Share of the messages in the source mailboxes that are finished, in percent.
    percentage_complete: u64,
    /// Messages in the source mailboxes, as last listed.
    total_item_count: u64,
    /// Messages of these that are on the targets.
    synced_item_count: u64,
    /// Messages that the last passes skipped.
    skipped_item_count: u64,
    /// Bytes sent, over all passes.
    bytes_transferred: u64,
    /// Estimated end of the first sync of all users; null if it does not run, or too little is known: at least two
    /// minutes of work, and users whose folders are listed. Batches with a filter have none.
    pub(crate) estimated_completion: Option<EstimatedCompletion>,
    /// Lowest score of the batch's users.
    data_consistency_score: Option<DataConsistencyScore>,
    /// Copies that wait to be removed because one sync may not remove so many; ValidationWarnings
    /// names the users.
    waiting_deletion_count: u64,
    /// Users with skipped messages that are not approved.
    unapproved_user_count: u64,
    /// Users with a finished mailbox check.
    checked_count: u64,
    /// Users with a failed mailbox check; Get-MigrationUser -CheckFailed lists them with the
    /// reason.
    check_failed_count: u64,
    /// Users that wait for a mailbox check.
    check_pending_count: u64,
    #[serde(flatten)]
    times: BatchTimes,
    /// Time zone of the batch's times.
    time_zone: String,
    /// True if incremental syncs follow the first sync.
    allow_incremental_syncs: bool,
    /// Time between incremental syncs.
    sync_interval: TimeSpan,
    /// Only these folders; empty for all.
    included_folders: Vec<String>,
    /// Folders that are left out.
    excluded_folders: Vec<String>,
    /// Target folders that the administrator set.
    folder_map: BTreeMap<String, String>,
    /// Only messages that match this filter.
    content_filter: Option<String>,
    /// Handling of copies whose message was deleted on the source.
    deletions: Deletions,
    /// Maximum share of a mailbox's copies that one sync removes, in percent.
    max_deletion_percent: u8,
    /// Number of copies that one sync may remove, even if they are more than MaxDeletionPercent.
    max_deletion_count: u64,
    /// True if the newest messages are copied first.
    newest_first: bool,
    /// Maximum number of messages per folder; the newest are copied.
    max_items: Option<u64>,
    /// Maximum message size in bytes; larger messages are skipped.
    max_message_size: Option<u64>,
    /// Edits allowed for messages that the target refuses.
    repair: Vec<String>,
    /// Handling of Gmail messages with several labels.
    gmail_labels: GmailLabels,
    /// Addresses that get notifications and reports by mail.
    notification_emails: Vec<String>,
    /// Time between two reports; 00:00:00 for none.
    report_interval: TimeSpan,
    /// True if no reports are sent.
    skip_reports: bool,
    /// Warnings about the CSV file, refused domains, and users with copies that wait to be removed.
    validation_warnings: Vec<String>,
    /// Number of ValidationWarnings.
    validation_warning_count: u64,
    /// Commands that the status allows.
    supported_actions: Vec<&'static str>,
    /// Report, if requested.
    pub(crate) report: Option<Report>,
}

/// Times of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct BatchTimes {
    /// Time of creation.
    creation_date_time: Moment,
    #[serde(rename = "CreationDateTimeUTC")]
    creation_date_time_utc: Timestamp,
    /// Time of the last start.
    start_date_time: Option<Moment>,
    #[serde(rename = "StartDateTimeUTC")]
    start_date_time_utc: Option<Timestamp>,
    /// Time at which the last user finished the first sync.
    initial_sync_date_time: Option<Moment>,
    #[serde(rename = "InitialSyncDateTimeUTC")]
    initial_sync_date_time_utc: Option<Timestamp>,
    /// Time from the start to InitialSyncDateTime.
    initial_sync_duration: Option<TimeSpan>,
    /// Each user has a last sync; this is the oldest of these times. All mail that arrived before it
    /// is on the targets.
    last_synced_date_time: Option<Moment>,
    #[serde(rename = "LastSyncedDateTimeUTC")]
    last_synced_date_time_utc: Option<Timestamp>,
    /// Time before which no mail is moved.
    start_after: Option<Moment>,
    #[serde(rename = "StartAfterUTC")]
    start_after_utc: Option<Timestamp>,
    /// Time of the final sync.
    complete_after: Option<Moment>,
    #[serde(rename = "CompleteAfterUTC")]
    complete_after_utc: Option<Timestamp>,
}

impl BatchTimes {
    fn new(overview: &BatchOverview) -> Self {
        let (batch, settings) = (&overview.batch, &overview.batch.settings);
        // The name of the zone was checked when it was set.
        let zone = zone(settings.time_zone.as_deref()).unwrap_or(TimeZone::UTC);
        let local = |at: Option<Timestamp>| at.map(|at| Moment::in_zone(at, &zone));
        let initial_sync_duration = match (batch.started, overview.initial_synced) {
            (Some(start), Some(end)) => Duration::try_from(end.duration_since(start)).ok().map(TimeSpan),
            _ => None,
        };
        Self {
            creation_date_time: Moment::in_zone(batch.created, &zone),
            creation_date_time_utc: batch.created,
            start_date_time: local(batch.started),
            start_date_time_utc: batch.started,
            initial_sync_date_time: local(overview.initial_synced),
            initial_sync_date_time_utc: overview.initial_synced,
            initial_sync_duration,
            last_synced_date_time: local(overview.last_synced),
            last_synced_date_time_utc: overview.last_synced,
            start_after: local(settings.start_after),
            start_after_utc: settings.start_after,
            complete_after: local(settings.complete_after),
            complete_after_utc: settings.complete_after,
        }
    }
}

/// Names of the batch's endpoints.
pub(crate) struct BatchNames {
    pub(crate) source: String,
    pub(crate) target: String,
    /// Endpoint of the batch that is parked now.
    pub(crate) parked: Option<(String, Parking)>,
}

impl MigrationBatch {
    /// View of the batch with its current numbers.
    pub(crate) fn of(overview: BatchOverview, names: BatchNames, now: Timestamp) -> Self {
        let status = overview.status(now);
        let message = message(status, &overview, names.parked.as_ref(), now);
        let times = BatchTimes::new(&overview);
        let revision = revision::of_batch(&overview.batch);
        let BatchOverview {
            batch,
            counts,
            totals,
            worst,
            unapproved,
            last_synced,
            checks,
            waiting_deletions,
            ..
        } = overview;
        let mut validation_warnings = batch.validation_warnings;
        validation_warnings.extend(unaccepted_domains(&checks.domains, &names.target));
        validation_warnings.extend(waiting(&waiting_deletions, totals.waiting_deletions, &batch.name));
        let settings = batch.settings;
        Self {
            identity: batch.name,
            batch_guid: batch.guid,
            revision,
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
            estimated_completion: None,
            data_consistency_score: last_synced.map(|_| worst),
            waiting_deletion_count: totals.waiting_deletions,
            unapproved_user_count: unapproved,
            checked_count: checks.checked,
            check_failed_count: checks.failed,
            check_pending_count: checks.pending,
            times,
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
            notification_emails: settings.notification_emails,
            report_interval: TimeSpan(settings.report_interval),
            skip_reports: settings.skip_reports,
            validation_warning_count: validation_warnings.len() as u64,
            validation_warnings,
            report: None,
        }
    }
}

/// Warning about users with copies that wait to be removed, with the commands that confirm; `None`
/// if there are none.
fn waiting(users: &WaitingUsers, copies: u64, batch: &str) -> Option<String> {
    let further = users.count.saturating_sub(users.first.len() as u64);
    let more = if further > 0 { format!(" and {further} more") } else { String::new() };
    if users.count == 0 {
        return None;
    }
    Some(format!(
        "not removed yet: {} of {} ({}{more}), whose messages vanished from the source. A second sync decides, or \
         Set-MigrationBatch \"{batch}\" -ConfirmDeletions, or Set-MigrationUser -ConfirmDeletions for one user. \
         Get-MigrationUserStatistics -IncludeReport shows why.",
        text::count(copies, "copy", "copies"),
        text::count(users.count, "user", "users"),
        users.first.join(", ")
    ))
}

/// Percentage of `done` in `all`; 0 if `all` is 0.
pub(crate) fn percentage(all: u64, done: u64) -> u64 {
    done.saturating_mul(100).checked_div(all).unwrap_or(0).min(100)
}
