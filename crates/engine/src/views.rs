//! Carrying what is in no other folder than a view: after the other folders, and only where something changed.

use std::sync::Arc;

use mailhaul_mail::{FolderPath, ModSeq, Scope, Uid, UidSet, UidValidity};

use crate::{
    error::Error,
    folder::{Cursor, Scan},
    folder_plan::{FolderPlan, REMAINDER, why_scan},
    folder_sync::job::{Reach, Work},
    ledger_state::{FolderRecord, FolderState, Record},
    name_rules::NameRules,
    pass::{Pass, Patience},
    ports::{Clock, Event, Ledger, Progress, Source, Target},
    report::{FolderReport, FolderTally, Report},
    scan::remainder::View,
};

/// A view as the survey shows it.
pub(crate) struct Viewed {
    plan: FolderPlan,
    record: Option<FolderRecord>,
    view: View,
    rules: String,
}

impl Viewed {
    pub(crate) fn new(plan: FolderPlan, record: Option<&FolderRecord>, view: View, rules: &str) -> Self {
        Self { plan, record: record.cloned(), view, rules: format!("{rules}{REMAINDER}") }
    }

    pub(crate) fn source(&self) -> &FolderPath {
        &self.plan.source
    }

    /// Why it must be looked into, whatever happened in other folders. Flags count only of messages that were copied from it.
    pub(crate) fn why(&self, has_copies: bool) -> Option<String> {
        let (mut status, mut record) = (self.plan.status, self.record.clone());
        if let (false, Some(now), Some(then)) =
            (has_copies, &mut status, record.as_mut().and_then(|it| it.cursor.as_mut()))
        {
            (now.highest_modseq, then.status.highest_modseq) = (Some(ModSeq(0)), Some(ModSeq(0)));
        }
        why_scan(status.as_ref(), record.as_ref(), &self.rules)
    }

    /// The last UIDNEXT where an earlier pass compared all messages before it, and what it found still holds.
    fn compared_below(&self) -> Option<(Uid, UidValidity)> {
        let record = self.record.as_ref().filter(|it| it.rules == self.rules)?;
        let cursor = record.cursor.filter(|it| it.skipped == 0 && it.excluded == 0)?;
        Some((cursor.status.uid_next?, cursor.status.uid_validity))
    }
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Carries what only the views hold. They join the other works, to be finished and reported with them.
    pub(crate) async fn carry_views(
        &mut self,
        views: Vec<Viewed>,
        works: &mut Vec<Work>,
        names: &NameRules,
        report: &mut Report,
    ) -> Result<(), Error> {
        for viewed in views {
            let Some((mut work, reach)) = self.view_work(viewed, works, report).await? else { continue };
            let looked = self.patiently_look_into(&mut work, reach).await;
            let is_empty = work.is_new() && work.scan.as_ref().is_none_or(|it| it.messages.is_empty());
            works.push(work);
            looked?;
            let last = works.len() - 1;
            if !is_empty {
                self.patiently_create(&mut works[last..], names).await?;
                self.carry_all(&mut works[last..], Vec::new()).await?;
            }
        }
        Ok(())
    }

    /// The view's work; `None` where nothing changed, which is reported.
    async fn view_work(
        &self,
        viewed: Viewed,
        works: &[Work],
        report: &mut Report,
    ) -> Result<Option<(Work, Reach)>, Error> {
        let state = self.ledger.folder_around(viewed.source(), &UidSet::new()).await?;
        let copies = state.map_or(0, |it| it.rest + it.messages.len() as u64);
        // What vanished from a folder may be left in a view alone.
        let losing: Vec<&Work> = works.iter().filter(|it| !it.vanished.is_empty()).collect();
        let has_lost = !losing.is_empty();
        let lost = || has_lost.then(|| "messages vanished from other folders".to_owned());
        let why = viewed.why(copies > 0).or_else(lost);
        let compared_below = viewed.compared_below().filter(|_| !has_lost);
        let Viewed { plan, view, .. } = viewed;
        let Some(target) = plan.target.clone() else { return Ok(None) };
        let Some(why) = why else {
            self.progress.event(Event::Unchanged { folder: &plan.source });
            report.folders.push(FolderReport {
                source: plan.source,
                target: (copies > 0).then_some(target),
                reason: format!("{}; unchanged", plan.reason),
                tally: FolderTally { seen: copies, already: copies, ..FolderTally::default() },
                error: None,
            });
            return Ok(None);
        };
        let view = losing
            .iter()
            .fold(view, |view, work| view.without(&work.source, work.vanished.iter().map(|(uid, _)| *uid)));
        let (view, reach) = match compared_below {
            Some((below, uid_validity)) => (view.compared_below(below, uid_validity), Reach::Changes),
            None => (view, Reach::Everything),
        };
        let work = Work { view: Some(view), listed: 0, ..Work::new(plan, target, &why, copies > 0) };
        Ok(Some((work, reach)))
    }

    async fn patiently_look_into(&mut self, work: &mut Work, reach: Reach) -> Result<(), Error> {
        let mut patience = Patience::default();
        while let Err(error) = self.look_into(work, reach).await {
            if error.scope <= Scope::Folder {
                self.progress.event(Event::FolderFailed { folder: work.source(), error: &error });
                work.fail(error);
                return Ok(());
            }
            if let Err(error) = self.recover_from(error, &mut patience).await {
                work.fail(error.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    /// Scans the view. Its place is written down, also where nothing is copied: so the next pass knows what was compared.
    async fn look_into(&mut self, work: &mut Work, reach: Reach) -> Result<(), Error> {
        let known = self.ledger.folder(&work.source).await?;
        if let Some(mut state) = known.filter(|it| it.record.target == work.target) {
            self.scan(work, &mut state, reach).await?;
        } else {
            let (folder, target) = (work.source.clone(), work.target.clone());
            let scan = self.source.scan(&folder, None).await?;
            let uid_validity = scan.status.uid_validity;
            let state = FolderState::opened(folder.clone(), target.clone(), uid_validity);
            let scan = self.remainder(work, &state, scan).await?;
            self.ledger.record(&[Record::Opened { folder, target, uid_validity }]).await?;
            work.scan = Some(Arc::new(scan));
        }
        if let Some(view) = &work.view {
            work.reason = format!("{}; {} in other folders", work.reason, view.held());
        }
        Ok(())
    }

    /// Scans a folder on the source; of a view, only what is in no other folder.
    pub(crate) async fn look(
        &mut self,
        work: &mut Work,
        state: &FolderState,
        since: Option<&Cursor>,
    ) -> Result<Scan, Error> {
        let scan = self.source.scan(&work.source, since).await?;
        let scan = self.check_count(work, scan).await?;
        self.remainder(work, state, scan).await
    }

    async fn remainder(&mut self, work: &mut Work, state: &FolderState, scan: Scan) -> Result<Scan, Error> {
        match &mut work.view {
            Some(view) => view.remainder(self.source, self.ledger, state, scan).await,
            None => Ok(scan),
        }
    }

    /// All that decides about the folder's messages, as text.
    pub(crate) fn rules_of(&self, work: &Work) -> String {
        let rules = self.options.rules(self.source);
        if work.view.is_some() { rules + REMAINDER } else { rules }
    }
}
