//! How far a mailbox is.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_migration::{
    DataConsistencyScore, FailureClass, Guid, MigrationUser, Statistics, StatusSummary, UserStatus,
};
use mailhaul_operations::TimeSpan;
use mailhaul_store::{FolderStatistics, ReportEntry, SkippedMessage};
use schemars::JsonSchema;
use serde::Serialize;

use super::{IMAP, batch::percentage, user::Waiting};
use crate::service::forecast::Forecast;

/// How far a mailbox is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationUserStatistics {
    /// Its e-mail address.
    identity: String,
    /// Its number for ever.
    guid: Guid,
    /// The name of its batch.
    batch_id: String,
    /// `IMAP`.
    migration_type: &'static str,
    /// Where it stands.
    status: UserStatus,
    /// The same in coarser words.
    status_summary: StatusSummary,
    /// Why the last pass failed or broke off.
    error: Option<String>,
    /// The class of that failure.
    error_class: Option<FailureClass>,
    /// What can be done about it.
    advice: Option<String>,
    /// When the first pass reached its end.
    initial_sync_time: Option<Timestamp>,
    /// When a pass reached its end last.
    last_successful_sync_time: Option<Timestamp>,
    /// When the next pass begins; none where nothing comes by itself.
    next_sync_time: Option<Timestamp>,
    /// What the user waits for, where a server or a limit wants patience; while it is under way, on how many days it will be,
    /// where a server limits the octets of a day.
    status_message: Option<String>,
    /// Messages that the target holds.
    synced_item_count: u64,
    /// Messages that the last pass skipped.
    skipped_item_count: u64,
    /// Messages in the source mailbox, as last listed.
    total_items_in_source_mailbox_count: u64,
    /// Messages that the pass under way, or else the last one, had to deal with.
    estimated_total_transfer_count: u64,
    /// Octets that the pass under way, or else the last one, had to send, as far as it has looked.
    estimated_total_transfer_size: u64,
    /// Octets sent, over all passes.
    bytes_transferred: u64,
    /// Octets sent in a minute by the pass under way; 0 where none is.
    current_bytes_transferred_per_minute: u64,
    /// Octets sent in an hour under way, over all passes.
    average_bytes_transferred_per_hour: u64,
    /// Of the messages in the source mailbox, how many hundredths are dealt with.
    percentage_complete: u64,
    /// How long the pass under way will still take, as far as can be told.
    estimated_time_remaining: Option<TimeSpan>,
    /// How long it waited for a place.
    total_queued_duration: TimeSpan,
    /// How long it was under way.
    total_in_progress_duration: TimeSpan,
    /// How long it was synced, between passes.
    total_synced_duration: TimeSpan,
    /// Under way, but nothing arrived after something broke.
    total_stalled_duration: TimeSpan,
    /// How consistent the target is with the source.
    data_consistency_score: Option<DataConsistencyScore>,
    /// What the last pass did, folder by folder.
    folders: Vec<MigrationFolder>,
    /// What is told about it, where that was asked for; the oldest first.
    report: Option<Vec<ReportLine>>,
    /// The messages that were skipped, where that was asked for.
    skipped_items: Option<Vec<SkippedItem>>,
}

/// What the last pass did in one folder. SeenCount is the sum of CopiedCount, AlreadyThereCount, LeftOutCount and
/// SkippedCount.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct MigrationFolder {
    /// On the source.
    folder_name: String,
    /// On the target; none where it was left out.
    target_folder_name: Option<String>,
    /// Why it goes there.
    reason: String,
    /// Messages that the source showed.
    seen_count: u64,
    /// Messages copied.
    copied_count: u64,
    /// Messages on the target before.
    already_there_count: u64,
    /// Messages left out by a filter.
    left_out_count: u64,
    /// Messages skipped.
    skipped_count: u64,
    /// Of the messages copied, those that were edited so that the target took them; the report names them.
    repaired_count: u64,
    /// Octets copied.
    bytes_transferred: u64,
    /// Messages whose flags were changed.
    flags_changed_count: u64,
    /// Messages moved on the target.
    moved_count: u64,
    /// Messages removed from the target.
    removed_count: u64,
    /// Why the folder was left before its end.
    error: Option<String>,
}

/// One line of a report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReportLine {
    /// When.
    pub(crate) creation_time: Timestamp,
    /// What.
    pub(crate) message: String,
}

/// A message that was skipped.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SkippedItem {
    /// The sort of reason.
    kind: String,
    /// Its folder on the source.
    folder_name: String,
    /// Its subject.
    subject: Option<String>,
    /// When it arrived.
    date_received: Option<Timestamp>,
    /// Octets, as the source claims.
    message_size: u64,
    /// Its UID on the source.
    #[serde(rename = "UID")]
    uid: u32,
    /// Why, with the server's words.
    reason: String,
}

/// What is told beside the numbers.
#[derive(Default)]
pub(crate) struct Details {
    pub(crate) folders: Vec<FolderStatistics>,
    pub(crate) report: Option<Vec<ReportEntry>>,
    pub(crate) skipped: Option<Vec<SkippedMessage>>,
}

impl From<ReportEntry> for ReportLine {
    fn from(entry: ReportEntry) -> Self {
        Self { creation_time: entry.time, message: entry.text }
    }
}

impl MigrationUserStatistics {
    /// Of the user of the batch of this name. `live` are the numbers of the pass under way in this process, where one is.
    pub(crate) fn of(
        user: MigrationUser,
        batch: String,
        live: Option<Statistics>,
        details: Details,
        waiting: &Waiting<'_>,
    ) -> Self {
        let now = waiting.now;
        let (next_sync_time, status_message) = waiting.of(&user);
        let is_under_way = user.status.is_running() && user.status != UserStatus::Stopping;
        let numbers = live.unwrap_or(user.statistics);
        let here = millis(user.status_since, now);
        // What the state lasts already is added to what the states before it lasted.
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
            identity: user.email_address,
            guid: user.guid,
            batch_id: batch,
            migration_type: IMAP,
            status: user.status,
            status_summary: user.status.summary(),
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
            current_bytes_transferred_per_minute: if is_under_way {
                rate(numbers.pass_bytes, here, 60_000)
            } else {
                0
            },
            average_bytes_transferred_per_hour: rate(numbers.bytes_transferred, in_progress, 3_600_000),
            percentage_complete: percentage(numbers.total_items, done),
            estimated_time_remaining: if is_under_way {
                let at_pace = remaining(&numbers, here).map(Duration::from_millis);
                at_pace.max(waiting.forecast.map(Forecast::least)).map(TimeSpan)
            } else {
                None
            },
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

fn millis(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond() - since.as_millisecond()).unwrap_or(0)
}

/// How much in `unit` milliseconds, where so much took so long.
fn rate(much: u64, millis: u64, unit: u64) -> u64 {
    much.saturating_mul(unit).checked_div(millis).unwrap_or(0)
}

/// Milliseconds until the pass has dealt with all messages and octets that it knows of, at the pace that it had so far.
fn remaining(numbers: &Statistics, elapsed: u64) -> Option<u64> {
    let until = |done: u64, left: u64| left.saturating_mul(elapsed).checked_div(done);
    let items = numbers.total_items.saturating_sub(numbers.synced_items + numbers.skipped_items);
    let bytes = numbers.estimated_bytes.saturating_sub(numbers.pass_bytes);
    until(numbers.pass_items, items).max(until(numbers.pass_bytes, bytes))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_so_far_tells_how_long_it_will_take() {
        let numbers = Statistics {
            total_items: 100,
            synced_items: 25,
            pass_items: 25,
            estimated_bytes: 4000,
            pass_bytes: 3000,
            ..Statistics::default()
        };
        assert_eq!(remaining(&numbers, 10_000), Some(30_000), "messages take longer here than octets");
        assert_eq!(rate(3000, 10_000, 60_000), 18_000);
        assert_eq!((rate(1, 0, 60_000), percentage(0, 0)), (0, 0));
        assert_eq!(remaining(&Statistics::default(), 10_000), None);
    }
}
