//! Watches a pass while it runs: report lines, stalls, usage, and the verdict at its end.

use std::{panic::resume_unwind, time::Duration};

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Report};
use mailhaul_mail::{EXPIRED_PERMIT, Permit, Retry, Scope};
use mailhaul_migration::{Batch, BatchSettings, FailureClass, MigrationUser, UserEvent};
use mailhaul_remotes::Side;
use mailhaul_store::{Due, PassKind, ReportEntry, StoreError};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    job::{Meters, WorkerJob},
    release::{JobEnd, copy_progress},
};
use crate::service::{
    forecast::Forecast,
    progress::{ConnectionPair, ProgressUpdate},
    stall::StallDetector,
    verdict::{FinishedPass, Verdict},
    workers::EndReason,
};

/// Time between lines of the report during a pass.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);
/// Time between checks of the permit. Timers do not count the time for which the machine is suspended.
const PERMIT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// State of a running pass.
pub(super) struct PassMonitor<'a> {
    job: &'a WorkerJob,
    started: Timestamp,
    meters: Meters,
    /// Report lines that are not saved yet.
    entries: Vec<ReportEntry>,
    /// True after both mailboxes were opened.
    is_validated: bool,
    /// Messages of this pass in the last progress line.
    reported_items: u64,
    /// Days in the last forecast line.
    reported_days: u64,
}

impl<'a> PassMonitor<'a> {
    pub(super) fn new(job: &'a WorkerJob) -> Self {
        let started = job.context.store.now();
        let first = ReportEntry { time: started, text: format!("{} started.", name_of(job.kind, &job.user)) };
        Self {
            job,
            started,
            meters: Meters::default(),
            entries: vec![first],
            is_validated: false,
            reported_items: job.worker.tally.statistics().pass_items,
            reported_days: 0,
        }
    }

    fn now(&self) -> Timestamp {
        self.job.context.store.now()
    }

    /// Runs the pass to its end.
    pub(super) async fn run(mut self) -> JobEnd {
        let (sender, mut updates) = mpsc::unbounded_channel();
        let report = self.watch(sender, &mut updates).await;
        if report.error.is_some() && !self.job.worker.permit.is_valid() {
            self.job.worker.end(EndReason::LeaseLost);
        }
        while let Ok(update) = updates.try_recv() {
            match update {
                ProgressUpdate::Entry(entry) => self.entries.push(entry),
                ProgressUpdate::Error(error, pair) => self.apply_error(&error, pair).await,
                ProgressUpdate::Validated => self.is_validated = true,
            }
        }
        if let Some(error) = &report.error {
            self.apply_error(error, ConnectionPair::First).await;
        }
        self.save_usage().await;
        self.update_forecast();
        // Dropping the meters ends their counting: the next worker of this user starts its own.
        self.meters.lock().clear();
        let verdict = self.judge(report).await;
        let closed = if self.is_validated { None } else { closed_side(&verdict) };
        JobEnd { verdict, closed, entries: self.entries, started: self.started }
    }

    /// Runs the pass, and handles its updates until it ends or must give way to other users.
    async fn watch(
        &mut self,
        sender: mpsc::UnboundedSender<ProgressUpdate>,
        updates: &mut mpsc::UnboundedReceiver<ProgressUpdate>,
    ) -> Report {
        let (job, meters) = (self.job, self.meters.clone());
        // A task of its own: a pass that waits inside for its handlers would keep a connection of the database from them.
        let mut pass = tokio::spawn({
            let job = job.clone();
            async move { job.pass(&meters, sender).await.unwrap_or_else(broken) }
        });
        let mut expiry = std::pin::pin!(expired(&job.worker.permit));
        let mut stall = StallDetector::new(job.context.stall_window, job.user.attempts);
        let mut stall_checks = tokio::time::interval(stall.window());
        stall_checks.reset();
        let mut reports = tokio::time::interval(REPORT_INTERVAL);
        loop {
            tokio::select! {
                report = &mut pass => return report.unwrap_or_else(|error| resume_unwind(error.into_panic())),
                () = &mut expiry => {
                    let error = Error::new(Scope::Endpoint, Retry::Now, ErrorKind::Interrupted, EXPIRED_PERMIT);
                    return cut(pass, error).await;
                }
                _ = stall_checks.tick() => if let Some(error) = self.stalled(&mut stall).await {
                    return cut(pass, error).await;
                },
                _ = reports.tick() => self.save_progress().await,
                Some(update) = updates.recv() => self.handle(update).await,
            }
        }
    }

    async fn handle(&mut self, update: ProgressUpdate) {
        match update {
            ProgressUpdate::Entry(entry) => {
                self.entries.push(entry);
                self.update_forecast();
            }
            ProgressUpdate::Error(error, pair) => self.apply_error(&error, pair).await,
            ProgressUpdate::Validated => {
                self.is_validated = true;
                let job = self.job;
                let advanced = job.context.store.jobs().advance(
                    &job.lease,
                    UserEvent::Validated,
                    job.context.store.now(),
                );
                if let Err(error) = advanced.await {
                    tracing::warn!("{}: {error}", job.user.email_address);
                    job.worker.end(EndReason::LeaseLost);
                }
                job.context.workers.touch(job.user.guid, job.worker.batch);
            }
        }
    }

    async fn apply_error(&self, error: &Error, pair: ConnectionPair) {
        self.job.context.apply_to_endpoint(error, pair, &self.job.worker).await;
    }

    /// Saves report lines and usage, so that a pass of many hours shows progress.
    async fn save_progress(&mut self) {
        self.update_forecast();
        let now = self.job.worker.tally.statistics();
        if now.pass_items != self.reported_items {
            self.entries.push(ReportEntry { time: self.now(), text: copy_progress(&now) });
            self.reported_items = now.pass_items;
        }
        if !self.entries.is_empty() {
            let (user, entries) = (&self.job.user, std::mem::take(&mut self.entries));
            if let Err(error) = self.job.context.store.reports().append(user.guid, entries).await {
                tracing::warn!("the report of {} was not saved: {error}", user.email_address);
            }
        }
        self.save_usage().await;
    }

    /// Saves the counted usage, so that other processes and later passes know it.
    async fn save_usage(&self) {
        let meters = self.meters.lock().clone();
        for meter in meters {
            meter.save(&self.job.context.store).await;
        }
    }

    /// Updates the forecast, and reports it if the number of days changed.
    fn update_forecast(&mut self) {
        let tally = &self.job.worker.tally;
        let meters = self.meters.lock();
        let days: Vec<_> = meters.iter().filter_map(|meter| meter.day()).collect();
        drop(meters);
        let forecast = Forecast::from_statistics(&tally.statistics(), days);
        tally.set_forecast(forecast);
        if let Some(forecast) = forecast.filter(|forecast| forecast.days() != self.reported_days) {
            self.reported_days = forecast.days();
            self.entries.push(ReportEntry { time: self.now(), text: forecast.to_string() });
        }
    }

    /// Returns the reason to end a pass without progress; `None` if no other user waits.
    async fn stalled(&self, stall: &mut StallDetector) -> Option<Error> {
        let error = stall.check(self.job.worker.tally.steps())?;
        match self.job.context.store.jobs().has_waiting(self.now()).await {
            Ok(true) => Some(error),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!("waiting mailboxes cannot be counted: {error}");
                None
            }
        }
    }

    async fn judge(&self, mut report: Report) -> Verdict {
        let (user, worker) = (&self.job.user, &self.job.worker);
        let settings = settings(self.job.context.store.batches().by_guid(user.batch).await, &mut report);
        let finished = FinishedPass {
            kind: self.job.kind,
            attempts: user.attempts,
            has_gained: worker.tally.statistics().pass_items > 0,
            is_archive: worker.target.is_none(),
            is_on_server: self.job.context.store.is_on_server(),
            settings: &settings,
            end_reason: worker.end_reason(),
            started: self.started,
            now: self.now(),
        };
        let mut verdict = finished.judge(report);
        if let (Some(failure), Some(forecast), Due::At(due)) =
            (&mut verdict.failure, worker.tally.forecast(), verdict.due)
            && failure.class == FailureClass::Throttled
        {
            let wait = Duration::try_from(due.duration_since(self.now())).unwrap_or_default();
            let forecast = forecast.while_waiting(wait);
            failure.message = format!("{}. {forecast}", failure.message);
        }
        verdict
    }
}

fn broken(error: Error) -> Report {
    Report { folders: Vec::new(), error: Some(error) }
}

/// Ends a pass at once. Its connections are closed when this returns.
async fn cut(pass: JoinHandle<Report>, error: Error) -> Report {
    pass.abort();
    // It has ended by the abort, or by itself a moment before: the reason of the cut counts.
    _ = pass.await;
    broken(error)
}

/// Waits until the permit has expired.
async fn expired(permit: &Permit) {
    while let Some(left) = permit.remaining() {
        tokio::time::sleep(left.min(PERMIT_CHECK_INTERVAL)).await;
    }
}

/// Returns the side whose mailbox did not open, so that no check repeats the sign-in.
fn closed_side(verdict: &Verdict) -> Option<Side> {
    let error = verdict.report.error.as_ref()?;
    let is_closed = verdict.event == UserEvent::Failed
        && matches!(error.kind, ErrorKind::Authentication | ErrorKind::Refused);
    if is_closed { error.side } else { None }
}

/// Returns the batch's settings. If they cannot be read, the pass must be retried: its result is unclear.
fn settings(batch: Result<Batch, StoreError>, report: &mut Report) -> BatchSettings {
    match batch {
        Ok(batch) => batch.settings,
        Err(error) => {
            let error = Error::from(error).context("the settings of the batch cannot be read");
            report.error = Some(Error { retry: Retry::After(None), ..error });
            BatchSettings::default()
        }
    }
}

fn name_of(kind: PassKind, user: &MigrationUser) -> &'static str {
    match kind {
        PassKind::First if user.statistics.bytes_transferred > 0 => "Initial sync (continued)",
        PassKind::First => "Initial sync",
        PassKind::Incremental => "Incremental sync",
        PassKind::Final => "Final sync",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_read_are_no_default() {
        let mut report = Report::default();
        let fault = StoreError::NotFound { what: "batch", identity: "x".to_owned() };
        settings(Err(fault), &mut report);
        let error = report.error.unwrap();
        assert_eq!((error.kind, error.retry), (ErrorKind::Ledger, Retry::After(None)));
        assert!(error.message.starts_with("the settings of the batch cannot be read: "), "{error}");
    }
}
