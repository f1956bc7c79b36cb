//! End of a worker's job: saves the verdict, and releases the lease.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::Report;
use mailhaul_migration::{MigrationUser, Statistics, UserEvent, UserStatus};
use mailhaul_remotes::Side;
use mailhaul_store::{Due, FolderStatistics, Release, ReportEntry, SkippedMessage, StoreError, Users};

use super::job::WorkerJob;
use crate::{
    output::text,
    service::{verdict::Verdict, workers::EndReason},
};

/// Wait before a server that could not be reached is asked again.
const RETRY_WAIT: Duration = Duration::from_secs(2);
/// Maximum number of these waits. Longer, and the lease ends anyway.
const RETRIES: u32 = 15;

/// Result of a job.
pub(super) struct JobEnd {
    pub(super) verdict: Verdict,
    /// Side whose mailbox did not open.
    pub(super) closed: Option<Side>,
    /// Report lines that are not saved yet.
    pub(super) entries: Vec<ReportEntry>,
    pub(super) started: Timestamp,
}

/// Saves the result, and releases the lease.
pub(super) async fn release(job: &WorkerJob, end: JobEnd) {
    if job.worker.end_reason() == Some(EndReason::LeaseLost) {
        return; // Another worker has the user, so the results of this one do not count.
    }
    let statistics = statistics(job.worker.tally.statistics(), &end.verdict.report);
    let last = last_entry(&end, &statistics, job.context.store.now());
    let JobEnd { verdict, closed, mut entries, .. } = end;
    entries.push(last);
    let Verdict { event, due, synced, failure, report, is_outage, is_last } = verdict;
    let is_whole = report.error.is_none();
    let release = Release {
        now: job.context.store.now(),
        event,
        due,
        synced,
        failure,
        is_attempt: event == UserEvent::Deferred && !is_outage,
        closed,
        statistics,
        entries,
        folders: is_whole.then(|| report.folders.iter().map(FolderStatistics::from).collect()),
        skipped: is_whole.then(|| skipped(&report)),
    };
    let store = &job.context.store;
    let released = match write(job, release).await {
        Ok(user) if is_last && user.status == UserStatus::Synced => {
            let (stop, users) = (UserEvent::Stop, Users::One(user.guid));
            store.jobs().apply(users, stop, store.now(), Due::Never).await.map(drop)
        }
        released => released.map(drop),
    };
    match released {
        Ok(()) | Err(StoreError::LeaseLost { .. }) => {}
        Err(error) => tracing::error!("{}: {error}", job.user.email_address),
    }
}

/// Writes the end of the pass. A server that cannot be reached is asked again for half a minute.
///
/// Without it the user would wait until the lease ends.
async fn write(job: &WorkerJob, release: Release) -> Result<MigrationUser, StoreError> {
    let store = &job.context.store;
    for _ in 0..RETRIES {
        match store.jobs().release(&job.lease, release.clone()).await {
            Err(error @ StoreError::Database { .. }) if store.is_on_server() => {
                tracing::warn!("{}: {error}; trying again", job.user.email_address);
                tokio::time::sleep(RETRY_WAIT).await;
            }
            released => return released,
        }
    }
    store.jobs().release(&job.lease, release).await
}

/// Returns the final numbers. A report without an error is more exact than the running counts.
fn statistics(counted: Statistics, report: &Report) -> Statistics {
    if report.error.is_some() {
        return counted;
    }
    Statistics {
        total_items: report.total(|it| it.seen - it.excluded.min(it.seen)),
        synced_items: report.total(|it| it.copied + it.already),
        skipped_items: report.skipped().count() as u64,
        waiting_deletions: report.total(|tally| tally.waiting),
        ..counted
    }
}

fn skipped(report: &Report) -> Vec<SkippedMessage> {
    let item = |(folder, it): (&mailhaul_mail::FolderPath, &mailhaul_engine::SkippedItem)| {
        SkippedMessage::from_item(folder, it, "Refused")
    };
    report.skipped().map(item).collect()
}

pub(super) fn copy_progress(statistics: &Statistics) -> String {
    format!(
        "Copy progress: {}/{} messages, {} of {} in this sync.",
        statistics.synced_items,
        statistics.total_items,
        text::bytes(statistics.pass_bytes),
        text::bytes(statistics.estimated_bytes)
    )
}

/// Returns the last line of the report.
fn last_entry(end: &JobEnd, statistics: &Statistics, now: Timestamp) -> ReportEntry {
    let progress = copy_progress(statistics);
    let seconds = (now.as_millisecond() - end.started.as_millisecond()) / 1000;
    let result = match end.verdict.event {
        UserEvent::Synced => format!("The sync was completed in {seconds} s."),
        UserEvent::SyncedWithSkippedItems => {
            format!("The sync was completed in {seconds} s; {} skipped.", statistics.skipped_items)
        }
        UserEvent::Halted => "The sync was stopped.".to_owned(),
        UserEvent::Deferred => match end.verdict.due {
            Due::At(due) if due > now => format!("The sync was interrupted and continues at {due:.0}."),
            _ => "The sync was interrupted and continues later.".to_owned(),
        },
        _ => "The sync failed.".to_owned(),
    };
    let text = match &end.verdict.failure {
        Some(failure) => format!("{progress} {result} {}", failure.message),
        None => format!("{progress} {result}"),
    };
    ReportEntry { time: now, text }
}

#[cfg(test)]
mod tests {
    use mailhaul_engine::{Error, FolderReport, FolderTally};
    use mailhaul_mail::FolderPath;

    use super::*;

    #[test]
    fn complete_passes_count_the_waiting_deletions() {
        let before = Statistics { waiting_deletions: 9, ..Statistics::default() };
        let tally = FolderTally { waiting: 4, ..FolderTally::default() };
        let folder = FolderReport {
            source: FolderPath::inbox(),
            target: Some(FolderPath::inbox()),
            reason: String::new(),
            tally,
            error: None,
        };
        let mut report = Report { folders: vec![folder.clone(), folder], error: None };
        assert_eq!(statistics(before, &report).waiting_deletions, 8);
        report.error = Some(Error::interrupted());
        assert_eq!(statistics(before, &report).waiting_deletions, 9);
    }
}
