//! One pass over one mailbox, from the listing of its folders to the report.

use mailhaul_mail::{FolderPath, Scope};
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Ports, SyncContext},
    creation::create_folders,
    error::{Error, ErrorKind},
    folder_sync::{
        finish::finish_folder,
        job::{FolderJob, Identity},
        moves::find_moves,
        scan_known::{scan_ahead, scan_known_folder},
    },
    limits::{slots::Slots, throttle::PassLimits},
    name_rules::NameRules,
    options::PassOptions,
    parallel::{connect_early, connect_pairs_ahead, sync_all},
    ports::{Clock, Event, Ledger, Mailbox, Progress, Source, Target},
    removals::{count_vanished, departed::close_departed},
    report::Report,
    retry::{RetryCounter, recover_from},
    scan::identity::check_identity,
    survey::{
        jobs::{choose_jobs, count_unchanged},
        relisting::list_once_more,
        renames::survey_with_renames,
        subscriptions::stay_subscribed,
    },
    transfer::pipe::Budget,
    views::sync_views,
};

/// Inputs of a pass.
pub struct Pass<'a, S, T, L, P, C> {
    pub source: &'a mut S,
    pub target: &'a mut T,
    pub ledger: &'a L,
    /// Receives progress events.
    pub progress: &'a P,
    pub clock: &'a C,
    /// Limit on bytes between source and target.
    pub budget: &'a Budget,
    /// Slots for connection pairs. One is this pass's own; it may take more for further pairs.
    pub slots: &'a Slots,
    /// Cancelled when the operator stops the pass.
    pub stop: &'a CancellationToken,
    /// Limits of the servers and of the caller.
    pub limits: &'a PassLimits,
    pub options: &'a PassOptions,
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Runs the pass. The report has all results, errors included.
    pub async fn run(self) -> Report {
        let Self { source, target, ledger, progress, clock, budget, slots, stop, limits, options } = self;
        let mut cx = SyncContext::<(S, T, L, P, C)> {
            source,
            target,
            ledger,
            progress,
            clock,
            budget,
            slots,
            stop,
            limits,
            options,
        };
        let mut report = Report::default();
        if let Err(error) = sync_mailbox(&mut cx, &mut report).await {
            report.error = Some(error);
        }
        report.folders.sort_by(|a, b| a.source.cmp(&b.source));
        report
    }
}

async fn sync_mailbox<M: Ports>(cx: &mut SyncContext<'_, M>, report: &mut Report) -> Result<(), Error> {
    connect_early(cx).await?;
    let survey = survey_with_renames(cx).await?;
    for option in &survey.unmatched {
        cx.progress.event(Event::Unmatched { option });
    }
    survey.check_options()?;
    let folders = stay_subscribed(&survey.plans, &survey.target);
    if !folders.is_empty() {
        cx.progress.event(Event::StaySubscribed { folders: &folders });
    }
    check_identity(cx, &survey).await?;
    let names = survey.names.clone();
    let (mut jobs, views) = choose_jobs(cx, survey, report);
    if !cx.source.view().is_empty() {
        count_unchanged(cx, report).await?;
    }
    let listed = jobs.iter().map(|it| (it.source().clone(), it.listed()));
    // Few of the messages that a view shows are copied from it.
    let listed: Vec<(FolderPath, u64)> = listed
        .chain(views.iter().filter(|it| it.why(false).is_some()).map(|it| (it.source().clone(), 0)))
        .collect();
    cx.progress.event(Event::Planned { folders: &listed });
    let mut result = Box::pin(sync_folders(cx, &mut jobs, &names)).await;
    if result.is_ok() {
        result = sync_relisted(cx, &mut jobs, report).await;
    }
    if result.is_ok() {
        result = Box::pin(sync_views(cx, views, &mut jobs, &names, report)).await;
    }
    if result.is_ok() {
        result = finish_all(cx, &mut jobs).await;
    }
    if result.is_ok() {
        result = close_departed(cx, &jobs).await;
    }
    report.folders.extend(jobs.into_iter().map(FolderJob::into_report));
    result
}

/// Copies folders that appeared during the pass.
async fn sync_relisted<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut Vec<FolderJob>,
    report: &mut Report,
) -> Result<(), Error> {
    let Some(survey) = list_once_more(cx, jobs, report).await? else { return Ok(()) };
    let names = survey.names.clone();
    let (mut more, _) = choose_jobs(cx, survey, report);
    let synced = Box::pin(sync_folders(cx, &mut more, &names)).await;
    jobs.extend(more);
    synced
}

/// Scans, finds moved messages, creates folders and copies.
pub(crate) async fn sync_folders<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    names: &NameRules,
) -> Result<(), Error> {
    let slots = connect_pairs_ahead(cx, jobs);
    if let Err(error) = Box::pin(scan_ahead(cx, jobs)).await {
        // A lasting error shows again in the scan of each folder.
        let _met_again = recover_from(cx, error, &mut RetryCounter::default()).await;
    }
    // Folders of earlier passes first: their vanished messages may be found in another folder.
    let mut identity = Identity::Open;
    for job in jobs.iter_mut().filter(|job| job.is_known()) {
        job.identity = identity;
        scan_with_retries(cx, job).await?;
        identity = job.identity;
    }
    let mut retries = RetryCounter::default();
    while let Err(error) = find_moves(cx, jobs).await {
        // Without the moves, messages would be copied that are on the target already.
        recover_from(cx, error, &mut retries).await?;
    }
    create_folders(cx, jobs, names).await?;
    sync_all(cx, jobs, slots).await
}

async fn scan_with_retries<M: Ports>(cx: &mut SyncContext<'_, M>, job: &mut FolderJob) -> Result<(), Error> {
    let mut retries = RetryCounter::default();
    while let Err(error) = scan_known_folder(cx, job).await {
        if let Err(error) = recover_from(cx, error, &mut retries).await {
            // Another mailbox: nothing of it is copied.
            let is_other = error.scope == Scope::Mailbox && error.kind == ErrorKind::Refused;
            if error.kind.is_of_ledger() || is_other {
                return Err(error);
            }
            job.fail(error);
            return Ok(());
        }
    }
    Ok(())
}

async fn finish_all<M: Ports>(cx: &mut SyncContext<'_, M>, jobs: &mut [FolderJob]) -> Result<(), Error> {
    // Vanished messages may be in a view that could not be scanned. Only the next pass can tell.
    let is_blind = jobs.iter().any(|it| it.view.is_some() && it.has_failed());
    let vanished_copies = count_vanished(cx, jobs).await?;
    let is_finished = |it: &&mut FolderJob| (!is_blind || it.vanished.is_empty()) && !it.has_failed();
    for job in jobs.iter_mut().filter(is_finished) {
        match finish_folder(cx, job, vanished_copies).await {
            Err(error) if error.scope <= Scope::Folder => {
                cx.progress.event(Event::FolderFailed { folder: job.source(), error: &error });
                job.fail(error);
            }
            other => other?,
        }
    }
    Ok(())
}
