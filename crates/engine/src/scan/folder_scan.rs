//! Scan of one source folder, with the ledger records brought to its UIDVALIDITY.

use std::sync::Arc;

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::{Cursor, Scan},
    folder_plan::REMAINDER,
    folder_sync::job::{FolderJob, ScanScope},
    ledger_state::FolderState,
    matching::records::follow_new_validity,
    ports::Mailbox,
    scan::{
        counts::check_count,
        identity::{knows_none, prove_identity},
        reused_uids::{has_reused_uids, must_show_all},
    },
};

/// Scans the folder, and aligns the records with the source's UIDVALIDITY.
pub(crate) async fn scan_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    scope: ScanScope,
) -> Result<Arc<Scan>, Error> {
    if let Some(scan) = &job.scan {
        return Ok(scan.clone());
    }
    let rules_hold = state.record.rules == rules_of(cx, job);
    // Skipped and excluded messages do not change: only a full scan shows them again.
    let since = state
        .record
        .cursor
        .filter(|it| it.status.uid_validity == state.record.uid_validity)
        .filter(|it| scope == ScanScope::Changes && rules_hold && it.skipped == 0 && it.excluded == 0);
    let mut scan = scan_source(cx, job, state, since.as_ref()).await?;
    let mut is_whole = since.is_none();
    if !is_whole && must_show_all(cx, job, state, &scan) {
        scan = scan_source(cx, job, state, None).await?;
        is_whole = true;
    }
    let mut why = why_renumbered(cx, job, state, &scan).await?;
    if why.is_some() || knows_none(state, &scan) {
        if !is_whole {
            scan = scan_source(cx, job, state, None).await?;
        }
        if let Some(again) = prove_identity(cx, job, state, &scan).await? {
            scan = again;
            why = why_renumbered(cx, job, state, &scan).await?;
        }
    }
    if let Some(why) = why {
        let lost = follow_new_validity(cx.source, cx.ledger, state, &scan).await?;
        job.reason = format!("{}; {why}, {lost} messages could not be paired", job.reason);
    }
    let scan = Arc::new(scan);
    job.scan = Some(scan.clone());
    Ok(scan)
}

/// Returns the reason why the UIDs of the records are not those of the messages; `None` if they are.
async fn why_renumbered<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    state: &mut FolderState,
    scan: &Scan,
) -> Result<Option<&'static str>, Error> {
    if scan.status.uid_validity != state.record.uid_validity {
        return Ok(Some("UIDVALIDITY changed"));
    }
    let is_reused = has_reused_uids(cx, job, state, scan).await?;
    Ok(if is_reused { Some("the server uses UIDs again for other messages") } else { None })
}

/// Scans a folder on the source; of a view, only messages that are in no other folder.
pub(crate) async fn scan_source<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    since: Option<&Cursor>,
) -> Result<Scan, Error> {
    let scan = cx.source.scan(&job.source, since).await?;
    let scan = check_count(cx, job, scan).await?;
    without_held(cx, job, state, scan).await
}

pub(crate) async fn without_held<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    scan: Scan,
) -> Result<Scan, Error> {
    match &mut job.view {
        Some(view) => view.remainder(cx.source, cx.ledger, state, scan).await,
        None => Ok(scan),
    }
}

/// All settings that decide about the folder's messages, as text.
pub(crate) fn rules_of<M: Ports>(cx: &SyncContext<'_, M>, job: &FolderJob) -> String {
    let rules = cx.options.rules(cx.source);
    if job.view.is_some() { rules + REMAINDER } else { rules }
}
