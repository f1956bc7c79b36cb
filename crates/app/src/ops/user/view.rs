//! View of a user: one mailbox of a batch.

use jiff::Timestamp;
use mailhaul_migration::{
    DataConsistencyScore, FailureClass, Guid, MailboxCheck, Opening, Statistics, StatusSummary, UserStatus,
};
use mailhaul_operations::TimeSpan;
use mailhaul_store::Parking;
use schemars::JsonSchema;
use serde::Serialize;

use super::pace::Pace;
use crate::{
    ops::{batch::view::percentage, shared::status_rules::user_actions},
    service::forecast::Forecast,
};

/// Migration user. Its passwords are never shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationUser {
    /// E-mail address of the user.
    identity: String,
    /// Permanent id.
    guid: Guid,
    /// Name of the user's batch.
    batch_id: String,
    /// Target mailbox, as named in the CSV file.
    mailbox_email_address: String,
    /// Row in the CSV file; the header is row 1.
    row: u32,
    /// Status of the user.
    status: UserStatus,
    /// Status group.
    status_summary: StatusSummary,
    /// Time of the last status change.
    status_since: Timestamp,
    /// Login at the source.
    user_name: String,
    /// Folder on the source that is migrated as the whole mailbox.
    user_root: Option<String>,
    /// Login at the target.
    target_user_name: String,
    /// Messages on the target.
    synced_item_count: u64,
    /// Messages that the last pass skipped.
    skipped_item_count: u64,
    /// Copies that wait to be removed because one sync may not remove so many. Set-MigrationUser
    /// -ConfirmDeletions lets the next sync remove them.
    waiting_deletion_count: u64,
    /// Messages in the source mailbox, as last listed.
    total_items_in_source_mailbox_count: u64,
    /// Share of the messages in the source mailbox that are finished, in percent.
    percentage_complete: u64,
    /// Bytes sent, over all passes.
    bytes_transferred: u64,
    /// Bytes per minute of the running pass; 0 if none is running.
    current_bytes_transferred_per_minute: u64,
    /// Estimated rest of the running pass.
    estimated_time_remaining: Option<TimeSpan>,
    /// Time at which the last successful pass began.
    last_successful_sync_time: Option<Timestamp>,
    /// Start of the next pass; null if none is planned.
    next_sync_time: Option<Timestamp>,
    /// Reason for waiting. During a pass with a daily limit, the number of days that it will
    /// take.
    status_message: Option<String>,
    /// The user's own `StartAfter`, which overrides the batch's.
    start_after: Option<Timestamp>,
    /// The user's own `CompleteAfter`, which overrides the batch's.
    complete_after: Option<Timestamp>,
    /// Reason why the last pass failed or was interrupted.
    error_summary: Option<String>,
    /// Class of that failure.
    error_class: Option<FailureClass>,
    /// Advice for that failure.
    advice: Option<String>,
    /// Number of interrupted passes in a row.
    attempts: u32,
    /// Result of the check of the source mailbox.
    source_check: CheckResult,
    /// Result of the check of the target mailbox; null if mail goes to the archive.
    target_check: Option<CheckResult>,
    /// Time of the check.
    checked_time: Option<Timestamp>,
    /// Reason why a mailbox cannot be opened, or was not checked yet.
    check_error: Option<String>,
    /// Advice for CheckError.
    check_advice: Option<String>,
    /// Consistency of the target with the source.
    data_consistency_score: Option<DataConsistencyScore>,
    /// True if skipped messages are not approved.
    has_unapproved_skipped_items: bool,
    /// Commands that the status allows: Start, Stop, Set, Remove.
    supported_actions: Vec<&'static str>,
}

/// Result of a mailbox check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum CheckResult {
    /// Not checked.
    NotChecked,
    /// Waits for a check, or for another one.
    Pending,
    /// Opened.
    Opened,
    /// Cannot be opened.
    Failed,
}

impl CheckResult {
    fn of(check: &MailboxCheck, opening: Option<&Opening>) -> Self {
        match opening {
            _ if check.due.is_some() => Self::Pending,
            None => Self::NotChecked,
            Some(Opening::Opened) => Self::Opened,
            Some(Opening::Failed(_)) => Self::Failed,
        }
    }
}

/// Reason and advice of a failed or delayed check.
fn check_error(check: &MailboxCheck) -> (Option<String>, Option<String>) {
    if let Some(due) = check.due {
        let words = check.delay.as_ref().map(|it| format!("not checked yet, retry at {due:.0}: {it}"));
        return (words, None);
    }
    let failures: Vec<_> =
        [&check.target, &check.source].into_iter().flatten().filter_map(Opening::failure).collect();
    let words: Vec<&str> = failures.iter().map(|it| it.message.as_str()).collect();
    let advice = failures.first().and_then(|it| it.advice.clone());
    ((!words.is_empty()).then(|| words.join("; ")), advice)
}

/// Reasons why a user waits now.
pub(crate) struct Waiting<'a> {
    pub(crate) now: Timestamp,
    /// Parked endpoint of the user's batch, by name.
    pub(crate) parked: Option<&'a (String, Parking)>,
    /// Forecast of the running pass, if a daily limit applies.
    pub(crate) forecast: Option<Forecast>,
}

impl Waiting<'_> {
    /// Start of the user's next pass, and what it waits for; for a running pass, its forecast.
    pub(crate) fn of(&self, user: &mailhaul_migration::MigrationUser) -> (Option<Timestamp>, Option<String>) {
        use FailureClass as C;
        if let Some(forecast) = self.forecast {
            return (user.due, Some(forecast.to_string()));
        }
        let Some(due) = user.due else { return (None, None) };
        if let Some((endpoint, parking)) = self.parked
            && parking.until > due
        {
            let words = format!(
                "The endpoint \"{endpoint}\" is paused until {:.0}: {}",
                parking.until, parking.reason
            );
            return (Some(parking.until), Some(words));
        }
        let is_waiting = due > self.now && user.status != UserStatus::IncrementalFailed;
        let is_temporary =
            |class| matches!(class, C::Throttled | C::Connection | C::Storage | C::Quota | C::Internal);
        let failure = user.failure.as_ref().filter(|it| is_waiting && is_temporary(it.class));
        (Some(due), failure.map(|it| format!("The user waits until {due:.0}: {}", it.message)))
    }
}

impl MigrationUser {
    /// View of the user with its current numbers.
    pub(crate) fn of(
        user: mailhaul_migration::MigrationUser,
        batch: String,
        has_target: bool,
        statistics: &Statistics,
        waiting: &Waiting<'_>,
    ) -> Self {
        let (next_sync_time, status_message) = waiting.of(&user);
        let data_consistency_score = user.score();
        let (check_error, check_advice) = check_error(&user.check);
        let pace = Pace::of(&user, statistics, waiting.now, waiting.forecast);
        let supported_actions = user_actions(&user);
        let (error_summary, error_class, advice) = match user.failure {
            Some(failure) => (Some(failure.message), Some(failure.class), failure.advice),
            None => (None, None, None),
        };
        Self {
            identity: user.email_address.clone(),
            guid: user.guid,
            batch_id: batch,
            mailbox_email_address: user.email_address,
            row: user.row,
            status: user.status,
            status_summary: user.status.summary(),
            status_since: user.status_since,
            user_name: user.user_name,
            user_root: user.user_root,
            target_user_name: user.target_user_name,
            synced_item_count: statistics.synced_items,
            skipped_item_count: statistics.skipped_items,
            waiting_deletion_count: statistics.waiting_deletions,
            total_items_in_source_mailbox_count: statistics.total_items,
            percentage_complete: percentage(
                statistics.total_items,
                statistics.synced_items + statistics.skipped_items,
            ),
            bytes_transferred: statistics.bytes_transferred,
            current_bytes_transferred_per_minute: pace.bytes_per_minute,
            estimated_time_remaining: pace.remaining,
            last_successful_sync_time: user.last_synced,
            next_sync_time,
            status_message,
            start_after: user.start_after,
            complete_after: user.complete_after,
            error_summary,
            error_class,
            advice,
            attempts: user.attempts,
            source_check: CheckResult::of(&user.check, user.check.source.as_ref()),
            target_check: has_target.then(|| CheckResult::of(&user.check, user.check.target.as_ref())),
            checked_time: user.check.checked,
            check_error,
            check_advice,
            data_consistency_score,
            has_unapproved_skipped_items: statistics.skipped_items > 0 && user.approved.is_none(),
            supported_actions,
        }
    }
}
