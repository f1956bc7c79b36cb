//! One pass over one mailbox, from the listing of its folders to the report.

use std::{sync::Arc, time::Duration};

use mailhaul_mail::{FolderPath, Retry, Scope, Uid, UidSet};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, ErrorKind},
    folder::FolderStatus,
    folder_plan::{FolderPlan, FolderRules, why_scan},
    folder_sync::job::{Identity, Work},
    folder_sync::repair::RepairRules,
    ledger_state::FolderRecord,
    limits::slots::Places,
    limits::throttle::{Limits, SHORT},
    message_plan::{Filter, Order},
    name_rules::NameRules,
    ports::{Clock, Event, Ledger, Mailbox, Progress, Source, Target},
    report::{FolderReport, FolderTally, Report},
    survey::subscriptions::stay_subscribed,
    survey::{Survey, survey},
    transfer::pipe::Budget,
    views::Viewed,
};

/// What happens on the target to a message that was deleted on the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletions {
    /// It stays.
    #[default]
    Keep,
    /// It is removed, if this migration put it there.
    Mirror,
}

/// When copies are removed although a server may be wrong: what one pass alone does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalRules {
    /// One pass removes at most so many percent of the copies of a mailbox, or [`Self::messages`] where that is more; and
    /// of the copies of one folder at most half, or [`Self::messages`].
    pub percent: u8,
    /// See [`Self::percent`].
    pub messages: u64,
    /// The administrator has said that what vanished is to be removed.
    pub is_confirmed: bool,
}

impl Default for RemovalRules {
    fn default() -> Self {
        Self { percent: 10, messages: 10, is_confirmed: false }
    }
}

/// What the operator wants of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassOptions {
    /// Of folders.
    pub folders: FolderRules,
    /// Of messages.
    pub filter: Filter,
    /// Which come first.
    pub order: Order,
    /// What follows a deletion.
    pub deletions: Deletions,
    /// How many copies one pass may remove.
    pub removals: RemovalRules,
    /// What may be edited.
    pub repairs: RepairRules,
}

impl PassOptions {
    /// All that decides about messages, as text: another text means that a folder must be looked at again.
    pub(crate) fn rules(&self, source: &impl Mailbox) -> String {
        format!("{:?}{}", self.filter, source.view())
    }
}

/// How many messages go into one command at most, where the target takes several.
pub(crate) const BATCH: usize = 100;
/// The same for a target that is far away: each command waits for the answer to the one before.
pub(crate) const FAR_BATCH: usize = 1000;
/// How often in a row a step is tried again without anything gained in between.
const PATIENCE: u32 = 5;
/// Longest time in all that a server is left alone, at its own request, with nothing gained in between: budgets of servers
/// are those of a day.
const LONGEST_PATIENCE: Duration = Duration::from_hours(24);

/// Everything that a pass works with.
pub struct Pass<'a, S, T, L, P, C> {
    /// Where mail comes from.
    pub source: &'a mut S,
    /// Where it goes.
    pub target: &'a mut T,
    /// What is remembered.
    pub ledger: &'a L,
    /// Who is told.
    pub progress: &'a P,
    /// Time.
    pub clock: &'a C,
    /// Octets on their way.
    pub budget: &'a Budget,
    /// One of them is this pass's own; it may take more for further lanes.
    pub places: &'a Places,
    /// Cancelled when the operator wants to stop.
    pub stop: &'a CancellationToken,
    /// What the servers put up with, and whoever runs the pass.
    pub limits: &'a Limits,
    /// What the operator wants.
    pub options: &'a PassOptions,
}

/// How often something failed in a row, and how long was waited.
#[derive(Default)]
pub(crate) struct Patience {
    failures: u32,
    waited: Duration,
}

impl Patience {
    /// Something was gained: the count begins anew.
    pub(crate) fn renew(&mut self) {
        *self = Self::default();
    }
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Runs the pass. The report tells everything, errors included.
    pub async fn run(mut self) -> Report {
        let mut report = Report::default();
        if let Err(error) = self.all(&mut report).await {
            report.error = Some(error);
        }
        report.folders.sort_by(|a, b| a.source.cmp(&b.source));
        report
    }

    async fn all(&mut self, report: &mut Report) -> Result<(), Error> {
        self.connect_early().await?;
        let survey = self.survey_with_renames().await?;
        for option in &survey.unmatched {
            self.progress.event(Event::Unmatched { option });
        }
        survey.check_options()?;
        let folders = stay_subscribed(&survey.plans, &survey.target);
        if !folders.is_empty() {
            self.progress.event(Event::StaySubscribed { folders: &folders });
        }
        self.check_identity(&survey).await?;
        let names = survey.names.clone();
        let (mut works, views) = self.choose(survey, report);
        if !self.source.view().is_empty() {
            self.count_unchanged(report).await?;
        }
        let listed = works.iter().map(|it| (it.source().clone(), it.listed()));
        // Few of the messages that a view shows are copied from it.
        let listed: Vec<(FolderPath, u64)> = listed
            .chain(views.iter().filter(|it| it.why(false).is_some()).map(|it| (it.source().clone(), 0)))
            .collect();
        self.progress.event(Event::Planned { folders: &listed });
        let mut result = self.carry_folders(&mut works, &names).await;
        if result.is_ok() {
            result = self.list_once_more(&mut works, report).await;
        }
        if result.is_ok() {
            result = self.carry_views(views, &mut works, &names, report).await;
        }
        if result.is_ok() {
            result = self.finish_all(&mut works).await;
        }
        if result.is_ok() {
            result = self.close_departed(&works).await;
        }
        report.folders.extend(works.into_iter().map(Work::into_report));
        result
    }

    pub(crate) async fn patiently_survey(&mut self) -> Result<Survey, Error> {
        let mut patience = Patience::default();
        loop {
            match survey(self.source, self.target, self.ledger, &self.options.folders).await {
                Ok(survey) => return Ok(survey),
                Err(error) => self.recover_from(error, &mut patience).await?,
            }
        }
    }

    /// Scans, finds what was moved, creates folders and copies.
    pub(crate) async fn carry_folders(&mut self, works: &mut [Work], names: &NameRules) -> Result<(), Error> {
        let places = self.connect_lanes_ahead(works);
        if let Err(error) = Box::pin(self.scan_ahead(works)).await {
            // A lasting error shows again in the scan of each folder.
            let _met_again = self.recover_from(error, &mut Patience::default()).await;
        }
        // Folders of earlier passes first: what vanished from them may be found moved to another.
        let mut identity = Identity::Open;
        for work in works.iter_mut().filter(|work| work.is_known()) {
            work.identity = identity;
            self.patiently_scan(work).await?;
            identity = work.identity;
        }
        let mut patience = Patience::default();
        while let Err(error) = self.find_moves(works).await {
            // Without the moves, messages would be copied that are on the target already.
            self.recover_from(error, &mut patience).await?;
        }
        self.patiently_create(works, names).await?;
        self.carry_all(works, places).await
    }

    /// Splits the folders into those that need work and those that do not; views come after them.
    pub(crate) fn choose(&self, survey: Survey, report: &mut Report) -> (Vec<Work>, Vec<Viewed>) {
        let rules = self.options.rules(self.source);
        let mut works: Vec<Work> = Vec::new();
        let mut views = Vec::new();
        let listing = survey.plans.iter().filter_map(|it| Some((it.source.clone(), it.status?)));
        let listing: Arc<[(FolderPath, FolderStatus)]> = listing.collect();
        let as_view = survey.plans.iter().map(|it| survey.view(&it.source)).collect::<Vec<_>>();
        for (plan, view) in survey.plans.into_iter().zip(as_view) {
            let record = survey.records.get(&plan.source);
            if let Some(view) = view {
                views.push(Viewed::new(plan, record, view, &rules));
                continue;
            }
            let Some(target) = plan.target.clone() else {
                report.folders.push(FolderReport {
                    source: plan.source,
                    target: None,
                    reason: plan.reason,
                    tally: FolderTally::default(),
                    error: None,
                });
                continue;
            };
            let moved_elsewhere = record.is_some_and(|it| it.target != target);
            let known = record.filter(|_| !moved_elsewhere);
            if let Some(why) = why_scan(plan.status.as_ref(), known, &rules) {
                works.push(Work::new(plan, target, &why, known.is_some()));
            } else {
                self.progress.event(Event::Unchanged { folder: &plan.source });
                report.folders.push(unchanged(plan, target, record));
            }
        }
        works.extend(survey.departed.into_iter().map(Work::departed));
        for work in &mut works {
            work.listing = Arc::clone(&listing);
        }
        let order = |it: &Viewed| survey.views.iter().position(|path| path == it.source());
        views.sort_by_key(order);
        (works, views)
    }

    /// A source that shows a folder's messages elsewhere counts them in both: then the ledger alone knows how many are
    /// carried from which.
    async fn count_unchanged(&self, report: &mut Report) -> Result<(), Error> {
        for unchanged in report.folders.iter_mut().filter(|it| it.target.is_some()) {
            let state = self.ledger.folder_around(&unchanged.source, &UidSet::new()).await?;
            let held = state.map_or(0, |it| it.rest + it.messages.len() as u64);
            (unchanged.tally.seen, unchanged.tally.already) = (held, held);
        }
        Ok(())
    }

    async fn patiently_scan(&mut self, work: &mut Work) -> Result<(), Error> {
        let mut patience = Patience::default();
        while let Err(error) = self.scan_known(work).await {
            if let Err(error) = self.recover_from(error, &mut patience).await {
                // Another mailbox: nothing of it is copied.
                let is_other = error.scope == Scope::Mailbox && error.kind == ErrorKind::Refused;
                if error.kind.is_of_ledger() || is_other {
                    return Err(error);
                }
                work.fail(error);
                return Ok(());
            }
        }
        Ok(())
    }

    async fn finish_all(&mut self, works: &mut [Work]) -> Result<(), Error> {
        // What vanished from a folder may be in a view that could not be looked at: that is known only after the next pass.
        let is_blind = works.iter().any(|it| it.view.is_some() && it.has_failed());
        let toll = self.toll(works).await?;
        let is_finished = |it: &&mut Work| (!is_blind || it.vanished.is_empty()) && !it.has_failed();
        for work in works.iter_mut().filter(is_finished) {
            match self.finish(work, toll).await {
                Err(error) if error.scope <= Scope::Folder => {
                    self.progress.event(Event::FolderFailed { folder: work.source(), error: &error });
                    work.fail(error);
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Waits and reconnects where that helps; gives the error back where it does not, or where it would take long and
    /// somebody takes the mailbox up again then. A server that says how long it wants to be left alone gets that, for a day
    /// in all if nothing is gained.
    pub(crate) async fn recover_from(&mut self, error: Error, patience: &mut Patience) -> Result<(), Error> {
        let is_crowded = error.kind == ErrorKind::TooManyConnections;
        let has_figure = matches!(error.retry, Retry::After(Some(_)));
        patience.failures = patience.failures.saturating_add(1);
        if self.stop.is_cancelled() {
            return Err(error);
        }
        if patience.failures > PATIENCE && (!has_figure || patience.waited >= LONGEST_PATIENCE) {
            let is_asked_for = is_crowded || error.kind.asks_for_patience();
            let times = patience.failures - 1;
            let words = format_args!("the server asked for patience {times} times, and nothing was gained");
            return Err(if is_asked_for { error.context(words) } else { error });
        }
        let doubling = 1u32 << (patience.failures - 1).min(8);
        let after = match error.retry {
            Retry::Never => return Err(error),
            Retry::After(Some(exactly)) => exactly,
            Retry::After(None) => Duration::from_secs(15) * doubling,
            Retry::Now if patience.failures == 1 => Duration::ZERO,
            Retry::Now => Duration::from_secs(1) * doubling,
        };
        let is_reserved = error.kind == ErrorKind::Ledger;
        let is_for_others = self.limits.is_resumed && (after > SHORT || is_crowded || is_reserved);
        if error.kind == ErrorKind::Interrupted || is_for_others {
            return Err(error);
        }
        patience.waited += after;
        self.progress.event(Event::Retrying { error: &error, after });
        // Before the wait, in which neither server is to keep a connection for nothing.
        self.source.reconnect().await?;
        self.target.reconnect().await?;
        tokio::select! {
            () = self.clock.sleep(after) => Ok(()),
            () = self.stop.cancelled() => Err(error),
        }
    }

    /// Target UIDs in the same target folder that belong to messages of other source folders.
    pub(crate) async fn owned_by_others(&self, work: &Work) -> Result<UidSet, Error> {
        let mut owned = UidSet::new();
        for record in self.ledger.folders().await? {
            if record.target == *work.target()
                && record.folder != *work.source()
                && let Some(state) = self.ledger.folder(&record.folder).await?
            {
                let uids: Vec<Uid> = state.target_uids().iter().collect();
                owned.extend(uids);
            }
        }
        Ok(owned)
    }
}

fn unchanged(plan: FolderPlan, target: FolderPath, record: Option<&FolderRecord>) -> FolderReport {
    let cursor = record.and_then(|it| it.cursor);
    let seen = cursor.map_or(0, |it| u64::from(it.status.messages));
    let excluded = cursor.map_or(0, |it| u64::from(it.excluded));
    let tally =
        FolderTally { seen, already: seen.saturating_sub(excluded), excluded, ..FolderTally::default() };
    FolderReport {
        source: plan.source,
        target: Some(target),
        reason: "unchanged".to_owned(),
        tally,
        error: None,
    }
}
