//! Status of a batch in a sentence, with the next step.

use std::fmt::Write as _;

use jiff::Timestamp;
use mailhaul_migration::{BatchIntent, BatchStatus, StatusSummary};
use mailhaul_store::{BatchOverview, Parking};

use crate::output::text;

/// Builds the sentence. While the batch runs, it includes what the batch waits for.
pub(crate) fn message(
    status: BatchStatus,
    overview: &BatchOverview,
    parked: Option<&(String, Parking)>,
    now: Timestamp,
) -> String {
    // Writing to a String cannot fail.
    let mut message = standing(status, overview);
    if overview.batch.intent == BatchIntent::Created {
        message.push_str(&checks(overview));
    }
    let goes_on = overview.batch.intent == BatchIntent::Run && status != BatchStatus::Completed;
    if let Some((endpoint, parking)) = parked.filter(|_| goes_on) {
        _ = write!(
            message,
            "; the endpoint \"{endpoint}\" is paused until {:.0}: {}",
            parking.until, parking.reason
        );
    } else if let Some(until) = overview.throttled_until.filter(|it| goes_on && *it > now) {
        let users = text::count(overview.throttled, "user waits", "users wait");
        _ = write!(message, "; {users} because a limit is used up, the first until {until:.0}");
    }
    message
}

/// Results of the mailbox checks, before the batch is started.
fn checks(overview: &BatchOverview) -> String {
    let checks = &overview.checks;
    let name = &overview.batch.name;
    let mut words = String::new();
    if checks.failed > 0 {
        let users = text::count(checks.failed, "user has", "users have");
        _ = write!(
            words,
            "; {users} a mailbox that cannot be opened: Get-MigrationUser -BatchId \"{name}\" -CheckFailed shows why"
        );
    }
    if checks.pending > 0 {
        let users = text::count(checks.pending, "user is", "users are");
        let why = checks.delay.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        _ = write!(words, "; {users} not checked yet{why}");
    }
    words
}

fn standing(status: BatchStatus, overview: &BatchOverview) -> String {
    use BatchStatus as S;
    let name = &overview.batch.name;
    let of = |summary| overview.counts.in_summary(summary);
    let total = overview.counts.total();
    let users = text::count(total, "user", "users");
    let failed = format!(
        "{} failed: Get-MigrationUser -BatchId \"{name}\" -StatusSummary Failed shows why, Start-MigrationBatch \
         retries them",
        of(StatusSummary::Failed)
    );
    match status {
        S::Created => format!("{users}, not started: Start-MigrationBatch starts it"),
        S::Waiting => "it waits for its StartAfter".to_owned(),
        S::Starting => "it waits for a connection slot at its endpoint".to_owned(),
        S::Stopping => "running users finish the messages that they are copying".to_owned(),
        S::Stopped => "it is stopped; Start-MigrationBatch resumes it".to_owned(),
        S::Completing => format!("final sync: {} of {users} completed", of(StatusSummary::Completed)),
        S::Completed => format!("{users} completed; no sync follows, and the batch can be removed"),
        S::CompletedWithErrors if of(StatusSummary::Failed) == 0 => {
            format!(
                "{users} completed, some with skipped messages: Export-MigrationReport -Kind SkippedItems lists them"
            )
        }
        S::Syncing if of(StatusSummary::Failed) == 0 => {
            format!("first sync: {} of {users} synced", of(StatusSummary::Synced))
        }
        S::IncrementalSyncing if of(StatusSummary::Failed) == 0 => "incremental sync is running".to_owned(),
        S::Synced if overview.batch.settings.allow_incremental_syncs => {
            format!("{users} synced; incremental syncs follow every SyncInterval")
        }
        S::Synced => format!("{users} synced; no sync follows, because AllowIncrementalSyncs is off"),
        S::Failed if total == 0 => {
            "the batch has no users; Set-MigrationBatch -AddUsers adds some".to_owned()
        }
        S::Failed => failed,
        S::Syncing | S::IncrementalSyncing | S::SyncedWithErrors | S::CompletedWithErrors => {
            format!(
                "{} of {users} synced, {failed}",
                of(StatusSummary::Synced) + of(StatusSummary::Completed)
            )
        }
    }
}
