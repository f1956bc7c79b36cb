//! One pass over one user's mailbox, from the lease to its release.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use mailhaul_engine::{Budget, Error, ErrorKind, Limits, Place, Places, Report};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{
    Batch, BatchSettings, Endpoint, Failure, FailureClass, GmailLabels, MigrationUser, Statistics, UserEvent,
    UserStatus,
};
use mailhaul_remotes::{
    Account, GmailApi, ImapMailbox, LabelPolicy, LabelRules, Login, MaildirMailbox, Side,
};
use mailhaul_store::{
    Claimed, Due, FolderStatistics, Lease, MailboxLedger, PassKind, Release, ReportEntry, SecretName,
    SkippedMessage, Store, StoreError, Users,
};
use tokio::sync::mpsc;

use super::{
    account::{self, connect_options},
    forecast::Forecast,
    gates::Gates,
    limits::Meter,
    pass_options::pass_options,
    progress::{Lane, News, Tally, UserProgress},
    tokens::TokenDesk,
    verdict::{Ended, Passed, failure},
    workers::{Ending, Worker, Workers},
};
use crate::{one_pass::OnePass, text};

/// So long a mailbox is left alone that somebody else migrates now.
const LOCKED_WAIT: Duration = Duration::from_secs(10);

/// From one look at a pass under way to the next, for its report.
const TELLING: Duration = Duration::from_secs(30);

/// What all workers share.
#[derive(Clone)]
pub(crate) struct Workplace {
    pub(crate) store: Store,
    pub(crate) data: PathBuf,
    pub(crate) workers: Workers,
    /// Octets on their way between all sources and targets of the process.
    pub(crate) budget: Budget,
    /// What servers put up with.
    pub(crate) gates: Gates,
    /// The access tokens of their mailboxes.
    pub(crate) tokens: TokenDesk,
}

impl Workplace {
    /// Carries one claimed user, and gives its lease back, whatever happens. The place is held to the end.
    pub(crate) async fn work(self, claimed: Claimed, worker: Worker, places: Places, place: Place) {
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
                is_last: false,
            };
            self.release(&user, &lease, &worker, ended, Vec::new(), Timestamp::now()).await;
        }
        drop(place);
        self.workers.ended(user.guid);
    }

    async fn carry(self, claimed: Claimed, worker: Worker, places: Places) {
        let begun = Timestamp::now();
        let Claimed { user, kind, lease } = claimed;
        let (news, mut arriving) = mpsc::unbounded_channel();
        let meters = Mutex::new(Vec::new());
        let passing = async {
            let ended = self.pass(&user, kind, &lease, (&worker, &places, &meters), news).await;
            ended.unwrap_or_else(|error| Report { folders: Vec::new(), error: Some(error) })
        };
        let mut passing = std::pin::pin!(passing);
        let mut entries =
            vec![ReportEntry { time: begun, text: format!("{} started.", name_of(kind, &user)) }];
        let mut telling = tokio::time::interval(TELLING);
        let mut told = worker.tally.statistics();
        let mut days_told = 0;
        let mut report = loop {
            tokio::select! {
                report = &mut passing => break report,
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
                News::Validated => {}
            }
        }
        if let Some(error) = &report.error {
            self.heed(error, Lane::First, &worker).await;
        }
        self.write_down(&meters).await;
        foresee(&worker, &meters, &mut days_told, &mut entries);
        // Whoever takes the user up next counts for himself.
        meters.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let settings = settings(self.store.batch_by_guid(user.batch).await, &mut report);
        let passed = Passed {
            kind,
            attempts: user.attempts,
            has_gained: worker.tally.statistics().pass_items > 0,
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
        self.release(&user, &lease, &worker, ended, entries, begun).await;
    }

    /// Keeps what was counted, so that another process knows it.
    async fn write_down(&self, meters: &Mutex<Vec<Arc<Meter>>>) {
        let meters = meters.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
        let batch = self.store.batch_by_guid(user.batch).await?;
        let options = pass_options(&batch.settings).map_err(misconfigured)?;
        let source = self.store.endpoint_by_guid(batch.source_endpoint).await?;
        let source_key = account::ledger_key(&source, &user.user_name, user.user_root.as_deref());
        let from = self.source(user, &source, &batch.settings).await?.telling(self.acquaintance(source.guid));
        let progress = UserProgress { tally: &worker.tally, news };
        // Later passes are short, and are counted by themselves: they take no further lanes.
        let none = Places::new(0);
        let places = if kind == PassKind::First { places } else { &none };
        let mut limits = Limits { is_resumed: true, ..Limits::default() };
        let mailbox = account::mailbox(&user.user_name, user.user_root.as_deref());
        let from_meter = self.meter(&mut limits, (&source, Side::Source), user.guid, mailbox).await?;
        let target = match batch.target_endpoint {
            Some(target) => Some(self.store.endpoint_by_guid(target).await?),
            None => None,
        };
        let to_meter = match &target {
            Some(target) => {
                let mailbox = account::mailbox(&user.target_user_name, None);
                self.meter(&mut limits, (target, Side::Target), user.guid, mailbox).await?
            }
            None => None,
        };
        let counting = [from_meter, to_meter].into_iter().flatten().map(Arc::new).collect();
        *meters.lock().unwrap_or_else(PoisonError::into_inner) = counting;
        let pass = OnePass {
            progress: &progress,
            budget: &self.budget,
            places,
            stop: &worker.stop,
            limits: &limits,
            options: &options,
        };
        let Some(target) = target else {
            let (root, key) = self.archive(user);
            let to = MaildirMailbox::new(root, user.email_address.clone());
            let ledger = self.ledger(&source_key, &key, lease).await?;
            return Ok(Box::pin(pass.run(from, to, &ledger)).await);
        };
        let target_key = account::ledger_key(&target, &user.target_user_name, None);
        let to = self.target(user, &target).await?.telling(self.acquaintance(target.guid));
        let ledger = self.ledger(&source_key, &target_key, lease).await?;
        Ok(Box::pin(pass.run(from, to, &ledger)).await)
    }

    /// The user's mailbox at the endpoint that mail comes from, as the batch's settings say.
    pub(crate) async fn source(
        &self,
        user: &MigrationUser,
        endpoint: &Endpoint,
        settings: &BatchSettings,
    ) -> Result<ImapMailbox, Error> {
        let folders = pass_options(settings).map_err(misconfigured)?.folders;
        let password = self.store.secret(user.guid, SecretName::Password).await?;
        let login = self.login(endpoint, &user.user_name, password).await?;
        let mailbox = ImapMailbox::new(Account {
            side: Side::Source,
            options: connect_options(endpoint),
            login,
            user_root: user.user_root.clone(),
            profile: endpoint.server_profile.clone(),
        });
        Ok(mailbox.with_labels(LabelRules { policy: label_policy(settings.gmail_labels), folders }))
    }

    /// The user's mailbox at the endpoint that mail goes to.
    pub(super) async fn target(
        &self,
        user: &MigrationUser,
        endpoint: &Endpoint,
    ) -> Result<ImapMailbox, Error> {
        let password = self.store.secret(user.guid, SecretName::TargetPassword).await?;
        let login = self.login(endpoint, &user.target_user_name, password).await?;
        let has_tokens = matches!(login, Login::Tokens { .. });
        let mailbox = ImapMailbox::new(Account {
            side: Side::Target,
            options: connect_options(endpoint),
            login,
            user_root: None,
            profile: endpoint.server_profile.clone(),
        });
        match &endpoint.gmail_api {
            None => Ok(mailbox),
            Some(url) => {
                Ok(mailbox.uploading_by(gmail_api(&endpoint.name, url, has_tokens).map_err(misconfigured)?))
            }
        }
    }

    /// The memory of this pair of mailboxes. Where another process has it, it is waited for.
    async fn ledger(&self, source: &str, target: &str, lease: &Lease) -> Result<MailboxLedger, Error> {
        self.store.leased_mailbox(source, target, lease).await.map_err(|error| match error {
            StoreError::Locked { .. } => {
                Error { retry: Retry::After(Some(LOCKED_WAIT)), ..Error::from(error) }
            }
            other => other.into(),
        })
    }

    async fn login(
        &self,
        endpoint: &Endpoint,
        user_name: &str,
        password: Option<mailhaul_mail::Secret>,
    ) -> Result<Login, Error> {
        let login = account::login(&self.store, &self.tokens, endpoint, user_name, password).await?;
        // Where each brings a password, others may have theirs.
        let scope = if endpoint.access.opens_every_mailbox() { Scope::Endpoint } else { Scope::Mailbox };
        login.map_err(|words| Error::new(scope, Retry::Never, ErrorKind::Authentication, words))
    }

    /// Where the user's archive is, and how the ledger knows it.
    pub(super) fn archive(&self, user: &MigrationUser) -> (PathBuf, String) {
        let name = super::archive::directory_name(&user.email_address);
        let key = format!("archive:{name}");
        (self.data.join("archive").join(name), key)
    }

    async fn release(
        &self,
        user: &MigrationUser,
        lease: &Lease,
        worker: &Worker,
        ended: Ended,
        mut entries: Vec<ReportEntry>,
        begun: Timestamp,
    ) {
        if worker.ending() == Some(Ending::LeaseLost) {
            return; // Somebody else has the user; nothing that this worker says counts.
        }
        let Ended { event, due, synced, failure, report, is_last } = ended;
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

/// Gmail's API, as the endpoint has it.
fn gmail_api(endpoint: &str, url: &str, has_tokens: bool) -> Result<GmailApi, String> {
    if !has_tokens {
        return Err(format!(
            "messages are to be uploaded by Gmail's API, which takes access tokens, and the endpoint \"{endpoint}\" has passwords"
        ));
    }
    GmailApi::new(url)
        .map_err(|words| format!("the address of Gmail's API at the endpoint \"{endpoint}\": {words}"))
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

pub(super) fn misconfigured(words: String) -> Error {
    Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Refused, words)
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
    let days: Vec<_> =
        meters.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(|it| it.day()).collect();
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

fn label_policy(labels: GmailLabels) -> LabelPolicy {
    match labels {
        GmailLabels::PrimaryFolder => LabelPolicy::PrimaryFolder,
        GmailLabels::EveryFolder => LabelPolicy::EveryFolder,
    }
}

/// The numbers with which a worker begins.
pub(crate) fn tally(user: &MigrationUser) -> Arc<Tally> {
    Arc::new(Tally::new(user.statistics))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gmail_is_not_uploaded_to_with_passwords_nor_in_clear() {
        let words = gmail_api("G", "https://gmail.googleapis.com", false).unwrap_err();
        assert!(words.contains("takes access tokens, and the endpoint \"G\" has passwords"), "{words}");
        let words = gmail_api("G", "http://gmail.example.org", true).unwrap_err();
        assert!(words.starts_with("the address of Gmail's API at the endpoint \"G\": "), "{words}");
        assert!(gmail_api("G", "https://gmail.googleapis.com", true).is_ok());
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
