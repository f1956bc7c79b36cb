//! View of a mailbox's progress.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_migration::{
    DataConsistencyScore, FailureClass, Guid, MigrationUser, Statistics, StatusSummary, UserStatus,
};
use mailhaul_operations::TimeSpan;
use mailhaul_store::{FolderStatistics, ReportEntry, SkippedMessage};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    pace::{Pace, millis, rate},
    view::Waiting,
};
use crate::ops::{
    batch::view::percentage,
    shared::{log_line::ReportLine, names::IMAP},
};

/// Progress of a mailbox.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationUserStatistics {
    /// E-mail address of the user.
    identity: String,
    /// The same address, under Exchange's name.
    email_address: String,
    /// Permanent id.
    guid: Guid,
    /// Name of the user's batch.
    batch_id: String,
    /// `IMAP`.
    migration_type: &'static str,
    /// Status of the user.
    status: UserStatus,
    /// Status group.
    status_summary: StatusSummary,
    /// Reason why the last pass failed or was interrupted.
    error: Option<String>,
    /// The same reason, under Exchange's name.
    error_summary: Option<String>,
    /// Class of that failure.
    error_class: Option<FailureClass>,
    /// Advice for that failure.
    advice: Option<String>,
    /// Time at which the first pass ended.
    initial_sync_time: Option<Timestamp>,
    /// Time at which the last successful pass began.
    last_successful_sync_time: Option<Timestamp>,
    /// Start of the next pass; null if none is planned.
    next_sync_time: Option<Timestamp>,
    /// Reason for waiting. During a pass with a daily limit, the number of days that it will
    /// take.
    status_message: Option<String>,
    /// Messages on the target.
    synced_item_count: u64,
    /// Messages that the last pass skipped.
    skipped_item_count: u64,
    /// Messages in the source mailbox, as last listed.
    total_items_in_source_mailbox_count: u64,
    /// Messages that the running or last pass had to process.
    estimated_total_transfer_count: u64,
    /// Bytes that the running or last pass had to send, as far as it has scanned.
    estimated_total_transfer_size: u64,
    /// Bytes sent, over all passes.
    bytes_transferred: u64,
    /// Bytes per minute of the running pass; 0 if none is running.
    current_bytes_transferred_per_minute: u64,
    /// Bytes per hour of running time, over all passes.
    average_bytes_transferred_per_hour: u64,
    /// Share of the messages in the source mailbox that are finished, in percent.
    percentage_complete: u64,
    /// Estimated rest of the running pass.
    estimated_time_remaining: Option<TimeSpan>,
    /// Time spent waiting for a connection slot.
    total_queued_duration: TimeSpan,
    /// Time spent in passes.
    total_in_progress_duration: TimeSpan,
    /// Time spent synced, between passes.
    total_synced_duration: TimeSpan,
    /// Time lost in passes: from a broken connection until the pass continues.
    total_stalled_duration: TimeSpan,
    /// Consistency of the target with the source.
    data_consistency_score: Option<DataConsistencyScore>,
    /// Results of the last pass, folder by folder.
    folders: Vec<MigrationFolder>,
    /// Report, if requested; oldest line first.
    report: Option<Vec<ReportLine>>,
    /// Skipped messages, if requested.
    skipped_items: Option<Vec<SkippedItem>>,
}

/// Results of the last pass in one folder. SeenCount is the sum of CopiedCount, AlreadyThereCount,
/// LeftOutCount and SkippedCount.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct MigrationFolder {
    /// Folder on the source.
    folder_name: String,
    /// Folder on the target; null if it was left out.
    target_folder_name: Option<String>,
    /// Reason for the target.
    reason: String,
    /// Messages that the source showed.
    seen_count: u64,
    /// Messages copied.
    copied_count: u64,
    /// Messages that were on the target before.
    already_there_count: u64,
    /// Messages left out by a filter.
    left_out_count: u64,
    /// Messages skipped.
    skipped_count: u64,
    /// Copied messages that were edited so that the target accepted them; the report names them.
    repaired_count: u64,
    /// Bytes copied.
    bytes_transferred: u64,
    /// Messages whose flags were changed.
    flags_changed_count: u64,
    /// Messages moved on the target.
    moved_count: u64,
    /// Messages removed from the target.
    removed_count: u64,
    /// Reason why the folder was left unfinished.
    error: Option<String>,
}

/// Skipped message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SkippedItem {
    /// Kind of reason.
    kind: String,
    /// Folder of the message on the source.
    folder_name: String,
    /// Subject.
    subject: Option<String>,
    /// Time of arrival.
    date_received: Option<Timestamp>,
    /// Size in bytes, as the source states it.
    message_size: u64,
    /// UID of the message on the source.
    #[serde(rename = "UID")]
    uid: u32,
    /// Reason, with the server's words.
    reason: String,
}

/// Optional parts of the statistics.
#[derive(Default)]
pub(crate) struct Details {
    pub(crate) folders: Vec<FolderStatistics>,
    pub(crate) report: Option<Vec<ReportEntry>>,
    pub(crate) skipped: Option<Vec<SkippedMessage>>,
}

impl MigrationUserStatistics {
    /// View of the user. `live` holds the numbers of a pass that runs in this process.
    pub(crate) fn of(
        user: MigrationUser,
        batch: String,
        live: Option<Statistics>,
        details: Details,
        waiting: &Waiting<'_>,
    ) -> Self {
        let now = waiting.now;
        let (next_sync_time, status_message) = waiting.of(&user);
        let numbers = live.unwrap_or(user.statistics);
        let pace = Pace::of(&user, &numbers, now, waiting.forecast);
        let here = millis(user.status_since, now);
        // Time in the current status is added to the time that the user spent in it before.
        let lasted = |millis: u64, is_now: bool| if is_now { millis + here } else { millis };
        let in_progress = lasted(numbers.in_progress_millis, user.status.is_running());
        let span = |millis| TimeSpan(Duration::from_millis(millis));
        let done = numbers.synced_items + numbers.skipped_items;
        let data_consistency_score = user.score();
        let (error, error_class, advice) = match user.failure {
            Some(failure) => (Some(failure.message), Some(failure.class), failure.advice),
            None => (None, None, None),
        };
        Self {
            email_address: user.email_address.clone(),
            identity: user.email_address,
            guid: user.guid,
            batch_id: batch,
            migration_type: IMAP,
            status: user.status,
            status_summary: user.status.summary(),
            error_summary: error.clone(),
            error,
            error_class,
            advice,
            initial_sync_time: user.initial_synced,
            last_successful_sync_time: user.last_synced,
            next_sync_time,
            status_message,
            synced_item_count: numbers.synced_items,
            skipped_item_count: numbers.skipped_items,
            total_items_in_source_mailbox_count: numbers.total_items,
            estimated_total_transfer_count: numbers.total_items.max(done),
            estimated_total_transfer_size: numbers.estimated_bytes,
            bytes_transferred: numbers.bytes_transferred,
            current_bytes_transferred_per_minute: pace.bytes_per_minute,
            average_bytes_transferred_per_hour: rate(numbers.bytes_transferred, in_progress, 3_600_000),
            percentage_complete: percentage(numbers.total_items, done),
            estimated_time_remaining: pace.remaining,
            total_queued_duration: span(lasted(numbers.queued_millis, user.status == UserStatus::Queued)),
            total_in_progress_duration: span(in_progress),
            total_synced_duration: span(lasted(numbers.synced_millis, user.status == UserStatus::Synced)),
            total_stalled_duration: span(numbers.stalled_millis),
            data_consistency_score,
            folders: details.folders.into_iter().map(MigrationFolder::from).collect(),
            report: details.report.map(|entries| entries.into_iter().map(ReportLine::from).collect()),
            skipped_items: details.skipped.map(|items| items.into_iter().map(SkippedItem::from).collect()),
        }
    }
}

impl From<FolderStatistics> for MigrationFolder {
    fn from(folder: FolderStatistics) -> Self {
        Self {
            folder_name: folder.source,
            target_folder_name: folder.target,
            reason: folder.reason,
            seen_count: folder.seen,
            copied_count: folder.copied,
            already_there_count: folder.already,
            left_out_count: folder.excluded,
            skipped_count: folder.skipped,
            repaired_count: folder.repaired,
            bytes_transferred: folder.bytes,
            flags_changed_count: folder.flags_changed,
            moved_count: folder.moved,
            removed_count: folder.removed,
            error: folder.error,
        }
    }
}

impl From<SkippedMessage> for SkippedItem {
    fn from(message: SkippedMessage) -> Self {
        Self {
            kind: message.kind,
            folder_name: message.folder,
            subject: message.subject,
            date_received: message.date,
            message_size: message.size,
            uid: message.uid,
            reason: message.reason,
        }
    }
}
