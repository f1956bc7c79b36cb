//! One pass over one user's mailbox, from the lease to its release.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Limits, Place, Places, Report};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{
    Batch, BatchSettings, Failure, FailureClass, MigrationUser, Statistics, UserEvent, UserStatus,
};
use mailhaul_remotes::Side;
use mailhaul_store::{
    ClaimedUser, Due, FolderStatistics, Lease, MailboxLedger, PassKind, Release, ReportEntry, SkippedMessage,
    StoreError, Users,
};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{
    account,
    forecast::Forecast,
    limits::Meter,
    progress::{Lane, News, Tally, UserProgress},
    route::Destination,
    stall::Watch,
    verdict::{Ended, Passed, failure},
    workers::{Ending, Worker},
    workplace::Workplace,
};
use crate::{one_pass::OnePass, text};

/// So long a mailbox is left alone that somebody else migrates now.
const LOCKED_WAIT: Duration = Duration::from_secs(10);

/// From one look at a pass under way to the next, for its report.
const TELLING: Duration = Duration::from_secs(30);

impl Workplace {
    /// Carries one claimed user, and gives its lease back, whatever happens. The place is held to the end.
    pub(crate) async fn work(self, claimed: ClaimedUser, worker: Worker, places: Places, place: Place) {
        let (user, lease) = (claimed.user.clone(), claimed.lease);
        let carrying = tokio::spawn({
            let (workplace, worker) = (self.clone(), worker.clone());
            async move { workplace.carry(claimed, worker, places).await }
        });
        if carrying.await.is_err() {
            let words =
                "the program made a mistake in this mailbox and left it; the others were not concerned";
            let error = Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, words);
            let ended = Ended {
                event: UserEvent::Failed,
                due: Due::Never,
                synced: None,
                failure: Some(failure(&error, false)),
                report: Report { folders: Vec::new(), error: Some(error) },
                is_outage: false,
                is_last: false,
            };
            self.release(&user, &lease, &worker, (ended, None), Vec::new(), Timestamp::now()).await;
        }
        drop(place);
        self.workers.ended(user.guid);
    }

    async fn carry(self, claimed: ClaimedUser, worker: Worker, places: Places) {
        let begun = Timestamp::now();
        let ClaimedUser { user, kind, lease } = claimed;
        let (news, mut arriving) = mpsc::unbounded_channel();
        let meters = Mutex::new(Vec::new());
        let passing = async {
            let ended = self.pass(&user, kind, &lease, (&worker, &places, &meters), news).await;
            ended.unwrap_or_else(|error| Report { folders: Vec::new(), error: Some(error) })
        };
        let mut passing = std::pin::pin!(passing);
        let mut entries =
            vec![ReportEntry { time: begun, text: format!("{} started.", name_of(kind, &user)) }];
        let mut watch = Watch::new(self.stall_window, user.attempts);
        let mut looking = tokio::time::interval(watch.window());
        looking.reset();
        let mut telling = tokio::time::interval(TELLING);
        let mut told = worker.tally.statistics();
        let mut is_open = false;
        let mut days_told = 0;
        let mut report = loop {
            tokio::select! {
                report = &mut passing => break report,
                _ = looking.tick() => if let Some(error) = self.stalled(&mut watch, &worker).await {
                    break Report { folders: Vec::new(), error: Some(error) };
                },
                _ = telling.tick() => {
                    foresee(&worker, &meters, &mut days_told, &mut entries);
                    let now = worker.tally.statistics();
                    if now.pass_items != told.pass_items {
                        entries.push(ReportEntry { time: Timestamp::now(), text: copy_progress(&now) });
                        told = now;
                    }
                    self.tell(&user, &mut entries).await;
                    self.write_down(&meters).await;
                }
                Some(news) = arriving.recv() => match news {
                    News::Entry(entry) => {
                        entries.push(entry);
                        foresee(&worker, &meters, &mut days_told, &mut entries);
                    }
                    News::Met(error, lane) => self.heed(&error, lane, &worker).await,
                    News::Validated => {
                        is_open = true;
                        if let Err(error) = self.store.advance(&lease, UserEvent::Validated, Timestamp::now()).await {
                            tracing::warn!("{}: {error}", user.email_address);
                            worker.end(Ending::LeaseLost);
                        }
                    }
                },
            }
        };
        while let Ok(news) = arriving.try_recv() {
            match news {
                News::Entry(entry) => entries.push(entry),
                News::Met(error, lane) => self.heed(&error, lane, &worker).await,
                News::Validated => is_open = true,
            }
        }
        if let Some(error) = &report.error {
            self.heed(error, Lane::First, &worker).await;
        }
        self.write_down(&meters).await;
        foresee(&worker, &meters, &mut days_told, &mut entries);
        // Whoever takes the user up next counts for himself.
        meters.lock().clear();
        let settings = settings(self.store.batch_by_guid(user.batch).await, &mut report);
        let passed = Passed {
            kind,
            attempts: user.attempts,
            has_gained: worker.tally.statistics().pass_items > 0,
            is_archive: worker.target.is_none(),
            settings: &settings,
            ending: worker.ending(),
            begun,
            now: Timestamp::now(),
        };
        let mut ended = passed.judge(report);
        if let (Some(failure), Some(forecast), Due::At(due)) =
            (&mut ended.failure, worker.tally.forecast(), ended.due)
            && failure.class == FailureClass::Throttled
        {
            let wait = Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default();
            let forecast = forecast.while_waiting(wait);
            failure.message = format!("{}. {forecast}", failure.message);
        }
        let closed = if is_open { None } else { closed(&ended) };
        self.release(&user, &lease, &worker, (ended, closed), entries, begun).await;
    }

    /// Why the pass is to give its place to others; `None` where it makes progress, or no other user waits.
    async fn stalled(&self, watch: &mut Watch, worker: &Worker) -> Option<Error> {
        let error = watch.look(worker.tally.steps())?;
        match self.store.has_waiting(Timestamp::now()).await {
            Ok(true) => Some(error),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!("it is not known whether other mailboxes wait: {error}");
                None
            }
        }
    }

    /// Keeps what was counted, so that another process knows it.
    async fn write_down(&self, meters: &Mutex<Vec<Arc<Meter>>>) {
        let meters = meters.lock().clone();
        for meter in meters {
            meter.write(&self.store).await;
        }
    }

    /// Adds to the user's report, so that a pass of many hours is seen to move.
    async fn tell(&self, user: &MigrationUser, entries: &mut Vec<ReportEntry>) {
        if entries.is_empty() {
            return;
        }
        if let Err(error) = self.store.append_report(user.guid, std::mem::take(entries)).await {
            tracing::warn!("the report of {}: {error}", user.email_address);
        }
    }

    async fn pass(
        &self,
        user: &MigrationUser,
        kind: PassKind,
        lease: &Lease,
        (worker, places, meters): (&Worker, &Places, &Mutex<Vec<Arc<Meter>>>),
        news: mpsc::UnboundedSender<News>,
    ) -> Result<Report, Error> {
        let route = self.route(user).await?;
        let from = self.source(user, &route).await?.counting_scans(worker.tally.scanned());
        let progress = UserProgress { tally: &worker.tally, news };
        // Later passes are short, and are counted by themselves: they take no further lanes.
        let none = Places::new(0);
        let places = if kind == PassKind::First { places } else { &none };
        let mut limits = Limits { is_resumed: true, ..Limits::default() };
        let mailbox = account::mailbox(&user.user_name, user.user_root.as_deref());
        let from_meter = self.meter(&mut limits, (&route.source, Side::Source), user.guid, mailbox).await?;
        let to_meter = match &route.target {
            Some(target) => {
                let mailbox = account::mailbox(&user.target_user_name, None);
                self.meter(&mut limits, (target, Side::Target), user.guid, mailbox).await?
            }
            None => None,
        };
        let counting = [from_meter, to_meter].into_iter().flatten().map(Arc::new).collect();
        *meters.lock() = counting;
        let pass = OnePass {
            progress: &progress,
            budget: &self.budget,
            places,
            stop: &worker.stop,
            limits: &limits,
            options: &route.options,
        };
        let to = self.destination(user, &route).await?;
        let ledger = self.ledger(&route.keys, lease).await?;
        Ok(match to {
            Destination::Imap(to) => {
                let to = to.counting_scans(worker.tally.scanned());
                Box::pin(pass.run(from, to, &ledger)).await
            }
            Destination::Archive(to) => Box::pin(pass.run(from, to, &ledger)).await,
        })
    }

    /// The memory of this pair of mailboxes. Where another process has it, it is waited for.
    async fn ledger(
        &self,
        (source, target): &(String, String),
        lease: &Lease,
    ) -> Result<MailboxLedger, Error> {
        self.store.leased_mailbox(source, target, lease).await.map_err(|error| match error {
            StoreError::Locked { .. } => {
                Error { retry: Retry::After(Some(LOCKED_WAIT)), ..Error::from(error) }
            }
            other => other.into(),
        })
    }

    async fn release(
        &self,
        user: &MigrationUser,
        lease: &Lease,
        worker: &Worker,
        (ended, closed): (Ended, Option<Side>),
        mut entries: Vec<ReportEntry>,
        begun: Timestamp,
    ) {
        if worker.ending() == Some(Ending::LeaseLost) {
            return; // Somebody else has the user; nothing that this worker says counts.
        }
        let Ended { event, due, synced, failure, report, is_outage, is_last } = ended;
        let statistics = statistics(worker.tally.statistics(), &report);
        entries.push(ReportEntry {
            time: Timestamp::now(),
            text: last_words((event, due), failure.as_ref(), &statistics, begun),
        });
        let is_whole = report.error.is_none();
        let release = Release {
            now: Timestamp::now(),
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
        let released = match self.store.release(lease, release).await {
            Ok(user) if is_last && user.status == UserStatus::Synced => {
                let (stop, whom) = (UserEvent::Stop, Users::One(user.guid));
                self.store.apply(whom, stop, Timestamp::now(), Due::Never).await.map(drop)
            }
            released => released.map(drop),
        };
        match released {
            Ok(()) | Err(StoreError::LeaseLost { .. }) => {}
            Err(error) => tracing::error!("{}: {error}", user.email_address),
        }
    }
}

/// The end whose mailbox could not be opened, of a pass that ended before both were. Nobody has to look again.
fn closed(ended: &Ended) -> Option<Side> {
    let error = ended.report.error.as_ref()?;
    let is_closed = ended.event == UserEvent::Failed
        && matches!(error.kind, ErrorKind::Authentication | ErrorKind::Refused);
    error.side.filter(|_| is_closed)
}

/// The batch's settings. Where they cannot be read, nobody knows what the pass means, and it is tried again.
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

/// The numbers that the report knows better than who counted on the way.
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
    let item = |(folder, it): (&mailhaul_mail::FolderPath, &mailhaul_engine::SkippedItem)| SkippedMessage {
        folder: folder.to_string(),
        uid: it.uid.get(),
        subject: it.subject.clone(),
        date: it.internal_date.and_then(|date| Timestamp::from_second(date.unix_seconds()).ok()),
        size: it.size,
        reason: it.reason.clone(),
        kind: "Refused".to_owned(),
    };
    report.skipped().map(item).collect()
}

/// Looks how long the mailbox will take, and says so in its report when that is another number of days than was said.
fn foresee(
    worker: &Worker,
    meters: &Mutex<Vec<Arc<Meter>>>,
    days_told: &mut u64,
    entries: &mut Vec<ReportEntry>,
) {
    let days: Vec<_> = meters.lock().iter().filter_map(|it| it.day()).collect();
    let forecast = Forecast::of(&worker.tally.statistics(), days);
    worker.tally.foresee(forecast);
    if let Some(forecast) = forecast.filter(|it| it.days() != *days_told) {
        *days_told = forecast.days();
        entries.push(ReportEntry { time: Timestamp::now(), text: forecast.to_string() });
    }
}

fn copy_progress(statistics: &Statistics) -> String {
    format!(
        "Copy progress: {}/{} messages, {} of {} in this sync.",
        statistics.synced_items,
        statistics.total_items,
        text::bytes(statistics.pass_bytes),
        text::bytes(statistics.estimated_bytes)
    )
}

fn last_words(
    (event, due): (UserEvent, Due),
    failure: Option<&Failure>,
    statistics: &Statistics,
    begun: Timestamp,
) -> String {
    let progress = copy_progress(statistics);
    let seconds = (Timestamp::now().as_millisecond() - begun.as_millisecond()) / 1000;
    let end = match event {
        UserEvent::Synced => format!("The sync was completed in {seconds} s."),
        UserEvent::SyncedWithSkippedItems => {
            format!("The sync was completed in {seconds} s; {} skipped.", statistics.skipped_items)
        }
        UserEvent::Halted => "The sync was stopped.".to_owned(),
        UserEvent::Deferred => match due {
            Due::At(due) if due > Timestamp::now() => {
                format!("The sync was interrupted and goes on at {due:.0}.")
            }
            _ => "The sync was interrupted and goes on later.".to_owned(),
        },
        _ => "The sync failed.".to_owned(),
    };
    match failure {
        Some(failure) => format!("{progress} {end} {}", failure.message),
        None => format!("{progress} {end}"),
    }
}

/// The numbers with which a worker begins.
pub(crate) fn tally(user: &MigrationUser) -> Arc<Tally> {
    Arc::new(Tally::new(user.statistics))
}

#[cfg(test)]
mod tests {
    use mailhaul_engine::{FolderReport, FolderTally};
    use mailhaul_mail::FolderPath;

    use super::*;

    #[test]
    fn copies_that_wait_to_be_removed_are_counted_in_passes_that_end() {
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
