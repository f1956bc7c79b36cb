//! Messages that only a view holds: copied after the other folders, and only if something changed.

use std::sync::Arc;

use mailhaul_mail::{FolderPath, ModSeq, Scope, Uid, UidSet, UidValidity};

use crate::{
    context::{Ports, SyncContext},
    creation::create_folders,
    error::Error,
    folder_plan::{FolderPlan, REMAINDER, why_scan},
    folder_sync::job::{FolderJob, ScanScope},
    ledger_state::{FolderRecord, FolderState, LedgerRecord},
    name_rules::NameRules,
    parallel::sync_all,
    ports::{Event, Ledger, Mailbox, Progress},
    report::{FolderReport, FolderTally, Report},
    retry::{RetryCounter, recover_from},
    scan::{
        folder_scan::{scan_folder, without_held},
        remainder::View,
    },
};

/// A view of the survey.
pub(crate) struct ViewPlan {
    plan: FolderPlan,
    record: Option<FolderRecord>,
    view: View,
    rules: String,
}

impl ViewPlan {
    pub(crate) fn new(plan: FolderPlan, record: Option<&FolderRecord>, view: View, rules: &str) -> Self {
        Self { plan, record: record.cloned(), view, rules: format!("{rules}{REMAINDER}") }
    }

    pub(crate) fn source(&self) -> &FolderPath {
        &self.plan.source
    }

    /// Returns the reason to scan it. Flags count only of messages that were copied from it.
    pub(crate) fn why(&self, has_copies: bool) -> Option<String> {
        let (mut status, mut record) = (self.plan.status, self.record.clone());
        if let (false, Some(now), Some(then)) =
            (has_copies, &mut status, record.as_mut().and_then(|it| it.cursor.as_mut()))
        {
            (now.highest_modseq, then.status.highest_modseq) = (Some(ModSeq(0)), Some(ModSeq(0)));
        }
        why_scan(status.as_ref(), record.as_ref(), &self.rules)
    }

    /// The last UIDNEXT, if an earlier pass compared all messages before it, and its result still holds.
    fn compared_below(&self) -> Option<(Uid, UidValidity)> {
        let record = self.record.as_ref().filter(|it| it.rules == self.rules)?;
        let cursor = record.cursor.filter(|it| it.skipped == 0 && it.excluded == 0)?;
        Some((cursor.status.uid_next?, cursor.status.uid_validity))
    }
}

/// Copies messages that only the views hold. Their jobs join the others for the end of the pass and the report.
pub(crate) async fn sync_views<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    views: Vec<ViewPlan>,
    jobs: &mut Vec<FolderJob>,
    names: &NameRules,
    report: &mut Report,
) -> Result<(), Error> {
    for view_plan in views {
        let Some((mut job, scope)) = view_job(cx, view_plan, jobs, report).await? else { continue };
        let looked = scan_view_with_retries(cx, &mut job, scope).await;
        let is_empty = job.is_new() && job.scan.as_ref().is_none_or(|it| it.messages.is_empty());
        jobs.push(job);
        looked?;
        let last = jobs.len() - 1;
        if !is_empty {
            create_folders(cx, &mut jobs[last..], names).await?;
            sync_all(cx, &mut jobs[last..], Vec::new()).await?;
        }
    }
    Ok(())
}

/// Creates the view's job; `None` if nothing changed, which is reported.
async fn view_job<M: Ports>(
    cx: &SyncContext<'_, M>,
    view_plan: ViewPlan,
    jobs: &[FolderJob],
    report: &mut Report,
) -> Result<Option<(FolderJob, ScanScope)>, Error> {
    let state = cx.ledger.folder_around(view_plan.source(), &UidSet::new()).await?;
    let copies = state.map_or(0, |it| it.rest + it.messages.len() as u64);
    // Messages that vanished from a folder may be left in a view alone.
    let losing: Vec<&FolderJob> = jobs.iter().filter(|it| !it.vanished.is_empty()).collect();
    let has_lost = !losing.is_empty();
    let lost = || has_lost.then(|| "messages vanished from other folders".to_owned());
    let why = view_plan.why(copies > 0).or_else(lost);
    let compared_below = view_plan.compared_below().filter(|_| !has_lost);
    let ViewPlan { plan, view, .. } = view_plan;
    let Some(target) = plan.target.clone() else { return Ok(None) };
    let Some(why) = why else {
        cx.progress.event(Event::Unchanged { folder: &plan.source });
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
        .fold(view, |view, job| view.without(&job.source, job.vanished.iter().map(|(uid, _)| *uid)));
    let (view, scope) = match compared_below {
        Some((below, uid_validity)) => (view.compared_below(below, uid_validity), ScanScope::Changes),
        None => (view, ScanScope::Everything),
    };
    let job = FolderJob::for_view(plan, target, &why, view, copies > 0);
    Ok(Some((job, scope)))
}

async fn scan_view_with_retries<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    scope: ScanScope,
) -> Result<(), Error> {
    let mut retries = RetryCounter::default();
    while let Err(error) = scan_view(cx, job, scope).await {
        if error.scope <= Scope::Folder {
            cx.progress.event(Event::FolderFailed { folder: job.source(), error: &error });
            job.fail(error);
            return Ok(());
        }
        if let Err(error) = recover_from(cx, error, &mut retries).await {
            job.fail(error.clone());
            return Err(error);
        }
    }
    Ok(())
}

/// Scans the view. Its target folder is recorded even if nothing is copied, so that the next pass knows what was
/// compared.
async fn scan_view<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    scope: ScanScope,
) -> Result<(), Error> {
    let known = cx.ledger.folder(&job.source).await?;
    if let Some(mut state) = known.filter(|it| it.record.target == job.target) {
        scan_folder(cx, job, &mut state, scope).await?;
    } else {
        let (folder, target) = (job.source.clone(), job.target.clone());
        let scan = cx.source.scan(&folder, None).await?;
        let uid_validity = scan.status.uid_validity;
        let state = FolderState::opened(folder.clone(), target.clone(), uid_validity);
        let scan = without_held(cx, job, &state, scan).await?;
        cx.ledger.record(&[LedgerRecord::Opened { folder, target, uid_validity }]).await?;
        job.scan = Some(Arc::new(scan));
    }
    if let Some(view) = &job.view {
        job.reason = format!("{}; {} in other folders", job.reason, view.held());
    }
    Ok(())
}
