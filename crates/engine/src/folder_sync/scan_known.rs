//! Scans of folders that an earlier pass copied, before any folder is copied.

use std::sync::Arc;

use mailhaul_mail::{FolderPath, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::{Cursor, Present},
    folder_sync::{
        job::{FolderHistory, FolderJob, ScanScope},
        recover::{owned_by_others, recover_known},
    },
    ledger_state::FolderRecord,
    message_plan::plan_messages,
    ports::{Ledger, Mailbox},
    scan::{
        counts::twin,
        folder_scan::scan_folder,
        reused_uids::{contradictions, went_back},
    },
};

/// Larger folders are not kept in memory between two steps.
const MAX_KEPT_MESSAGES: usize = 100_000;

/// Scans a folder of an earlier pass and finds messages that vanished.
///
/// Messages with an unknown outcome are resolved first: they may be in another folder by now.
pub(crate) async fn scan_known_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
) -> Result<(), Error> {
    if scan_changes(cx, job).await? {
        return Ok(());
    }
    let Some(mut state) = cx.ledger.folder(&job.source).await? else { return Ok(()) };
    let owned = owned_by_others(cx, job).await?;
    let mut scope = ScanScope::Changes;
    if !state.intended().is_empty() {
        scope = recover_known(cx, job, &mut state, &owned).await?;
    }
    let mut scan = scan_folder(cx, job, &mut state, scope).await?;
    let mut plan = plan_messages(&scan, &state, &cx.options.filter, cx.options.order);
    if !plan.vanished.is_empty() {
        // They may have to be moved on the target, by UIDs that are still valid.
        if recover_known(cx, job, &mut state, &owned).await? == ScanScope::Everything {
            scan = scan_folder(cx, job, &mut state, ScanScope::Everything).await?;
        }
        plan = plan_messages(&scan, &state, &cx.options.filter, cx.options.order);
    }
    job.vanished = plan.vanished;
    if state.messages.len() <= MAX_KEPT_MESSAGES {
        job.state = Some(state);
    }
    Ok(())
}

/// Scans the usual folder in a time that does not grow with it. Returns false if the folder is not usual.
///
/// A usual source reports changed and vanished messages, no message vanished, and the last pass left nothing open.
async fn scan_changes<M: Ports>(cx: &mut SyncContext<'_, M>, job: &mut FolderJob) -> Result<bool, Error> {
    let Some(state) = cx.ledger.folder_around(&job.source, &UidSet::new()).await? else {
        return Ok(false);
    };
    let record = &state.record;
    let Some(cursor) = usual_cursor(cx, record) else { return Ok(false) };
    if job.history == FolderHistory::Departed || !state.messages.is_empty() {
        return Ok(false);
    }
    let scan = cx.source.scan(&job.source, Some(&cursor)).await?;
    let is_usual = scan.status.uid_validity == record.uid_validity
        && !went_back(&cursor.status, &scan.status)
        && twin(job, &scan.status).is_none()
        && matches!(&scan.present, Present::AllBut(vanished) if vanished.is_empty());
    if !is_usual {
        return Ok(false);
    }
    let unseen = scan.unseen.iter().map(|it| it.uid);
    let changed: UidSet = scan.messages.iter().map(|it| it.uid).chain(unseen).collect();
    let state = cx.ledger.folder_around(&job.source, &changed).await?;
    if state.as_ref().is_some_and(|it| !contradictions(&scan, it).is_empty()) {
        return Ok(false);
    }
    job.state = state;
    job.scan = Some(Arc::new(scan));
    Ok(true)
}

/// Scans all known folders for changes at once, if the source can.
///
/// Reads no message records: a folder that needs more is scanned again.
pub(crate) async fn scan_ahead<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &[FolderJob],
) -> Result<(), Error> {
    let records = cx.ledger.folders().await?;
    let is_wanted = |it: &&FolderRecord| jobs.iter().any(|job| job.is_known() && job.source == it.folder);
    let folders: Vec<(FolderPath, Cursor)> = records
        .iter()
        .filter(is_wanted)
        .filter_map(|it| Some((it.folder.clone(), usual_cursor(cx, it)?)))
        .collect();
    if folders.is_empty() { Ok(()) } else { cx.source.scan_ahead(&folders).await }
}

/// Returns the cursor of the folder if the last pass left nothing open and the same rules hold.
pub(crate) fn usual_cursor<M: Ports>(cx: &SyncContext<'_, M>, record: &FolderRecord) -> Option<Cursor> {
    let settled = record.cursor.filter(|it| it.status.uid_validity == record.uid_validity)?;
    let is_usual = settled.skipped == 0
        && settled.excluded == 0
        && record.rules == cx.options.rules(cx.source)
        && record.waiting.is_none();
    is_usual.then_some(settled)
}
