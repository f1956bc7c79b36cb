//! Synchronization of one folder: recover, scan, plan, adopt, move, copy, flags.
//!
//! Crash safety: each step may be repeated after a failure.

pub(crate) mod adopt;
pub(crate) mod confirm;
pub(crate) mod copying;
pub(crate) mod doubles;
pub(crate) mod fetch_whole;
pub(crate) mod finish;
pub(crate) mod flag_changes;
pub(crate) mod job;
pub(crate) mod lost;
pub(crate) mod missing;
pub(crate) mod moves;
pub(crate) mod outcomes;
pub(crate) mod own_headers;
pub(crate) mod quiet;
pub(crate) mod read_back;
pub(crate) mod recover;
pub(crate) mod refusals;
pub(crate) mod repair;
pub(crate) mod resends;
pub(crate) mod revalidate;
pub(crate) mod rewritten;
pub(crate) mod scan_known;
pub(crate) mod unrecorded;

use std::sync::Arc;

use mailhaul_mail::{Retry, Scope, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind},
    folder::Scan,
    folder_sync::{
        adopt::locate_copies,
        confirm::confirm_recorded,
        copying::copy_messages,
        flag_changes::{EarlyFlagChanges, intend_flags, send_flags},
        job::{FolderHistory, FolderJob, ScanScope, deletion_record},
        outcomes::add_headings,
        recover::{owned_by_others, recover_known},
    },
    ledger_state::{FolderState, LedgerRecord, MessageState},
    message_plan::{MessagePlan, plan_messages},
    ports::{Clock, Event, Ledger, Mailbox, Progress, Source, Target},
    scan::{counts::check_count, folder_scan::scan_folder, remarks::remarks},
};

/// Synchronizes one folder. May be called again after an error that a new connection can solve.
pub(crate) async fn sync_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
) -> Result<(), Error> {
    let is_first_attempt = job.begin_attempt();
    let mut state = open_job(cx, job).await?;
    open_both(cx, job, &state).await?;
    let recovered = job.recovered;
    let owned = owned_by_others(cx, job).await?;
    let mut scope = recover_known(cx, job, &mut state, &owned).await?;
    if !is_first_attempt {
        job.tally.copied += job.recovered - recovered;
    }
    // Copies that were not visible in their own pass may lack flags. A scan of changes does not show them.
    let append_start = state.record.append_start;
    let any_found = locate_copies(cx, job, &mut state, append_start, &owned).await? > 0;
    let any_lost = confirm_recorded(cx, job, &mut state, &owned).await?;
    if (any_found || any_lost) && job.history != FolderHistory::Departed {
        (scope, job.scan) = (ScanScope::Everything, None);
    }
    let scan = scan_folder(cx, job, &mut state, scope).await?;
    let mut plan = plan_messages(&scan, &state, &cx.options.filter, cx.options.order);
    plan.copy.retain(|it| !job.gone.contains(it.uid) && !job.skipped.contains_key(&it.uid));
    job.tally.seen = plan.seen() + job.skipped.len() as u64 - plan.skip.len() as u64;
    for (message, reason) in std::mem::take(&mut plan.skip) {
        if !job.skipped.contains_key(&message.uid) {
            job.tally.seen += 1;
            job.skip(&message, reason);
        }
    }
    job.tally.excluded = plan.excluded;
    job.unseen = plan.unseen;
    if job.tally.remarks.is_empty() {
        job.tally.remarks = remarks(&scan, &plan, cx.clock.now());
    }
    // Copies of this pass may be lost, if the target folder was deleted and created again.
    job.tally.copied = job.tally.copied.min(plan.already);
    job.tally.already = plan.already - job.tally.copied;
    job.vanished = std::mem::take(&mut plan.vanished);
    let forget: Vec<LedgerRecord> =
        plan.forget.iter().map(|uid| deletion_record(&job.source, *uid)).collect();
    cx.record(&mut state, &forget).await?;

    Box::pin(copy_and_flag(cx, job, &mut state, &mut plan, &scan, &owned)).await?;
    add_headings(cx, job).await?;
    let skipped: Vec<LedgerRecord> = job
        .skipped
        .iter()
        .map(|(uid, reason)| LedgerRecord::Message {
            folder: job.source.clone(),
            uid: *uid,
            state: Some(MessageState::Skipped(reason.clone())),
        })
        .collect();
    cx.record(&mut state, &skipped).await?;
    job.set_done();
    if let Some(why) = &scan.incomplete {
        return Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, why));
    }
    cx.progress.event(Event::FolderDone { folder: &job.source, tally: &job.tally });
    Ok(())
}

/// Copies new messages, and changes flags of earlier copies.
///
/// The changes are sent while the target waits for bodies.
async fn copy_and_flag<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    scan: &Scan,
    owned: &UidSet,
) -> Result<(), Error> {
    let flags = intend_flags(cx, job, state, scan).await?;
    if plan.copy.is_empty() {
        return send_flags(cx, job, state, flags, None).await;
    }
    // A directory causes no waits, and another program writes its keywords at the same time.
    let is_local = cx.target.habits().is_local;
    let mut early = if is_local { EarlyFlagChanges::default() } else { EarlyFlagChanges::new(&flags) };
    let brought = Box::pin(copy_messages(cx, job, state, plan, owned, &mut early)).await;
    let outcome = early.into_outcome();
    if brought.is_err() && !matches!(outcome, Some(Ok(()))) {
        return brought;
    }
    send_flags(cx, job, state, flags, outcome).await?;
    brought?;
    let flags = intend_flags(cx, job, state, scan).await?;
    send_flags(cx, job, state, flags, None).await
}

/// Opens both folders at once, if the scan shows that there is something to write.
async fn open_both<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
) -> Result<(), Error> {
    job.target_status = None;
    if !job.shows_changes() {
        return Ok(());
    }
    // Crash safety: reserve before the first look. A message that another pass sends after the look would not be
    // found.
    cx.ledger.reserve_target(&cx.target.owner()).await?;
    let has_news = job.shows_new_messages(state);
    let (source, target) = (&mut *cx.source, &mut *cx.target);
    let prepared = async { if has_news { source.prepare(&job.source).await } else { Ok(()) } };
    let (prepared, opened) = futures_util::join!(prepared, target.open_to_write(&job.target));
    match opened {
        Ok(status) => job.target_status = Some(status),
        // The folder may be missing: then it is created.
        Err(error) if error.scope <= Scope::Folder => {}
        Err(error) => return Err(error),
    }
    prepared
}

/// Returns the folder's state, with its target folder recorded.
pub(crate) async fn open_job<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
) -> Result<FolderState, Error> {
    let known = match job.state.take() {
        Some(state) => Some(state),
        None => cx.ledger.folder(&job.source).await?,
    };
    if let Some(state) = known
        && state.record.target == job.target
    {
        return Ok(state);
    }
    let uid_validity = if let Some(scan) = &job.scan {
        scan.status.uid_validity
    } else {
        let scan = cx.source.scan(&job.source, None).await?;
        let scan = Arc::new(check_count(cx, job, scan).await?);
        job.scan.insert(scan).status.uid_validity
    };
    let (folder, target) = (job.source.clone(), job.target.clone());
    let opened = LedgerRecord::Opened { folder: folder.clone(), target: target.clone(), uid_validity };
    cx.ledger.record(std::slice::from_ref(&opened)).await?;
    Ok(FolderState::opened(folder, target, uid_validity))
}
