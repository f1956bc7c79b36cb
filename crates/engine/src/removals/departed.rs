//! Folders that the source has no more.
//!
//! When no message of them is left in the ledger, their record is closed. The target folder that became empty is
//! removed or reported.

use mailhaul_mail::Scope;

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder_sync::job::{FolderHistory, FolderJob},
    ledger_state::LedgerRecord,
    options::DeletionPolicy,
    ports::{Event, Ledger, Mailbox, Progress, Target},
};

/// Closes the departed folders that are finished, the deepest first.
pub(crate) async fn close_departed<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &[FolderJob],
) -> Result<(), Error> {
    let mut departed: Vec<&FolderJob> =
        jobs.iter().filter(|it| it.history == FolderHistory::Departed && !it.has_failed()).collect();
    departed.sort_by(|a, b| b.target.cmp(&a.target));
    for job in departed {
        let state = cx.ledger.folder(&job.source).await?;
        if state.is_some_and(|it| it.messages.is_empty()) {
            remove_if_empty(cx, job).await?;
            cx.ledger.record(&[LedgerRecord::Closed { folder: job.source.clone() }]).await?;
        }
    }
    Ok(())
}

/// Removes the target folder if it is empty and no other folder goes there, or reports that it is empty.
async fn remove_if_empty<M: Ports>(cx: &mut SyncContext<'_, M>, job: &FolderJob) -> Result<(), Error> {
    let records = cx.ledger.folders().await?;
    let is_used = records.iter().any(|it| it.folder != job.source && it.target.is_within(&job.target));
    if is_used || job.target.is_inbox() {
        return Ok(());
    }
    let is_removed = cx.options.deletions == DeletionPolicy::Mirror;
    let emptied = if is_removed {
        cx.target.remove_empty_folder(&job.target).await
    } else {
        cx.target.status(&job.target).await.map(|it| it.messages == 0)
    };
    match emptied {
        Ok(true) => cx.progress.event(Event::Emptied { folder: &job.target, is_removed }),
        Ok(false) => {}
        // The folder is gone, or cannot be removed.
        Err(error) if error.scope <= Scope::Folder => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
