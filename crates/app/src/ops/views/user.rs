//! A migration user: one mailbox of a batch.

use jiff::Timestamp;
use mailhaul_migration::{
    DataConsistencyScore, FailureClass, Guid, MailboxCheck, Opening, Statistics, StatusSummary, UserStatus,
};
use mailhaul_store::Parking;
use schemars::JsonSchema;
use serde::Serialize;

use crate::service::forecast::Forecast;

/// A migration user. Its passwords are never shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationUser {
    /// Its e-mail address.
    identity: String,
    /// Its number for ever.
    guid: Guid,
    /// The name of its batch.
    batch_id: String,
    /// The target mailbox, as the CSV file names it.
    mailbox_email_address: String,
    /// Its row in the CSV file; the header is row 1.
    row: u32,
    /// Where it stands.
    status: UserStatus,
    /// The same in coarser words.
    status_summary: StatusSummary,
    /// Since when.
    status_since: Timestamp,
    /// The login at the source.
    user_name: String,
    /// The folder at the source that is taken for the whole mailbox.
    user_root: Option<String>,
    /// The login at the target.
    target_user_name: String,
    /// Messages that the target holds.
    synced_item_count: u64,
    /// Messages that the last pass skipped.
    skipped_item_count: u64,
    /// Copies that wait to be removed, because one sync does not decide about so many: Set-MigrationUser -ConfirmDeletions
    /// removes them with the next sync.
    waiting_deletion_count: u64,
    /// Octets sent, over all passes.
    bytes_transferred: u64,
    /// When a pass reached its end last.
    last_successful_sync_time: Option<Timestamp>,
    /// When the next pass begins; none where nothing comes by itself.
    next_sync_time: Option<Timestamp>,
    /// What the user waits for, where a server or a limit wants patience; while it is under way, on how many days it will be,
    /// where a server limits the octets of a day.
    status_message: Option<String>,
    /// The user's own `StartAfter`, which goes before the batch's.
    start_after: Option<Timestamp>,
    /// The user's own `CompleteAfter`, which goes before the batch's.
    complete_after: Option<Timestamp>,
    /// Why the last pass failed or broke off.
    error_summary: Option<String>,
    /// The class of that failure.
    error_class: Option<FailureClass>,
    /// What can be done about it.
    advice: Option<String>,
    /// How often the pass broke off in a row.
    attempts: u32,
    /// Whether the source mailbox can be opened.
    source_check: CheckResult,
    /// Whether the target mailbox can be opened; none where mail goes to the archive.
    target_check: Option<CheckResult>,
    /// When that was found out.
    checked_time: Option<Timestamp>,
    /// Why a mailbox cannot be opened, or why it is not known yet.
    check_error: Option<String>,
    /// What can be done about it.
    check_advice: Option<String>,
    /// How consistent the target is with the source.
    data_consistency_score: Option<DataConsistencyScore>,
    /// Whether messages were skipped that nobody has approved.
    has_unapproved_skipped_items: bool,
}

/// What is known of whether a mailbox can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum CheckResult {
    /// Nobody has tried.
    NotChecked,
    /// It is tried soon, or again.
    Pending,
    /// It was opened.
    Opened,
    /// It cannot be opened.
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

/// Why mailboxes cannot be opened, or why that is not known yet, and what can be done about it.
fn check_error(check: &MailboxCheck) -> (Option<String>, Option<String>) {
    if let Some(due) = check.due {
        let words = check.delay.as_ref().map(|it| format!("not checked yet, again at {due:.0}: {it}"));
        return (words, None);
    }
    let failures: Vec<_> =
        [&check.target, &check.source].into_iter().flatten().filter_map(Opening::failure).collect();
    let words: Vec<&str> = failures.iter().map(|it| it.message.as_str()).collect();
    let advice = failures.first().and_then(|it| it.advice.clone());
    ((!words.is_empty()).then(|| words.join("; ")), advice)
}

/// What keeps a user waiting now.
pub(crate) struct Waiting<'a> {
    /// The time.
    pub(crate) now: Timestamp,
    /// The endpoint of the user's batch that is left alone, by name.
    pub(crate) parked: Option<&'a (String, Parking)>,
    /// How long the pass under way will take, where a day's octets are limited.
    pub(crate) forecast: Option<Forecast>,
}

impl Waiting<'_> {
    /// When the user's next pass begins, and what it waits for; of a pass under way, on how many days.
    pub(super) fn of(&self, user: &mailhaul_migration::MigrationUser) -> (Option<Timestamp>, Option<String>) {
        use FailureClass as C;
        if let Some(forecast) = self.forecast {
            return (user.due, Some(forecast.to_string()));
        }
        let Some(due) = user.due else { return (None, None) };
        if let Some((endpoint, parking)) = self.parked
            && parking.until > due
        {
            let words = format!(
                "The endpoint \"{endpoint}\" is left alone until {:.0}: {}",
                parking.until, parking.reason
            );
            return (Some(parking.until), Some(words));
        }
        let is_waiting = due > self.now && user.status != UserStatus::IncrementalFailed;
        let is_temporary =
            |class| matches!(class, C::Throttled | C::Connection | C::Storage | C::Quota | C::Internal);
        let failure = user.failure.as_ref().filter(|it| is_waiting && is_temporary(it.class));
        (Some(due), failure.map(|it| format!("It waits until {due:.0}: {}", it.message)))
    }
}

impl MigrationUser {
    /// The user of the batch of this name, which has a target endpoint or not, with its numbers as they are now.
    pub(crate) fn of(
        user: mailhaul_migration::MigrationUser,
        (batch, has_target): (String, bool),
        statistics: &Statistics,
        waiting: &Waiting<'_>,
    ) -> Self {
        let (next_sync_time, status_message) = waiting.of(&user);
        let data_consistency_score = user.score();
        let (check_error, check_advice) = check_error(&user.check);
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
            bytes_transferred: statistics.bytes_transferred,
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
        }
    }
}
