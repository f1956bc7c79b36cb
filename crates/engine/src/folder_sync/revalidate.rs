//! A target folder that was created again, or restored from a backup.
//!
//! Its old UIDs mean nothing, and the records are paired with its messages.

use std::collections::BTreeMap;

use mailhaul_mail::{Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder_sync::job::{FolderHistory, FolderJob, ScanScope},
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState},
    matching::records::pair_records,
    ports::{Ledger, Mailbox, Target},
};

/// Pairs the records again if the target's UIDVALIDITY changed or its UIDNEXT went back.
///
/// Creates a missing folder. May replace `state` by the whole folder.
pub(crate) async fn check_target_validity<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    owned: &UidSet,
) -> Result<ScanScope, Error> {
    let Some(then) = state.record.target_validity else { return Ok(ScanScope::Changes) };
    let status = match job.target_status.take() {
        Some(status) => Ok(status),
        None => cx.target.status(&job.target).await,
    };
    let status = match status {
        Err(error) if error.scope == Scope::Folder => {
            let folder = job.new_folder();
            cx.target.create_folders(&[folder]).await?.into_iter().collect::<Result<(), _>>()?;
            cx.target.status(&job.target).await?
        }
        other => other?,
    };
    let is_renumbered = status.uid_validity != then;
    let went_back = status.uid_next.zip(state.record.target_next).is_some_and(|(now, then)| now < then);
    if !is_renumbered && !went_back {
        job.target_status = Some(status);
        return Ok(ScanScope::Changes);
    }
    job.old_target_validity = Some(then);
    if state.rest > 0
        && let Some(all) = cx.ledger.folder(&job.source).await?
    {
        *state = all;
    }
    let mut there = cx.target.scan(&job.target, None).await?.messages;
    there.retain(|it| !owned.contains(it.uid));
    let done: Vec<(Uid, CopyRecord)> = state.done().map(|(uid, it)| (uid, it.clone())).collect();
    let recorded = (job.history != FolderHistory::Departed).then_some((&mut *cx.source, &job.source));
    let copies: Vec<(Uid, CopyRecord)> = done.iter().map(|(uid, it)| (*uid, it.as_copy())).collect();
    let pairs = pair_records(cx.target, &job.target, &there, &copies, recorded).await?;
    let pairs: BTreeMap<Uid, Uid> = pairs.into_iter().collect();
    let folder = job.source.clone();
    let mut records =
        vec![LedgerRecord::TargetValidity { folder: folder.clone(), uid_validity: status.uid_validity }];
    records.extend(done.into_iter().map(|(uid, copied)| {
        let state = pairs
            .get(&uid)
            .map(|target_uid| MessageState::Done(CopyRecord { target_uid: Some(*target_uid), ..copied }));
        LedgerRecord::Message { folder: folder.clone(), uid, state }
    }));
    job.reason += if is_renumbered {
        "; the target's UIDVALIDITY changed, its messages were looked up again"
    } else {
        "; the target's UIDNEXT went back, its messages were looked up again"
    };
    cx.record(state, &records).await?;
    // Messages whose records were lost are planned as new. Only a full scan shows them.
    Ok(ScanScope::Everything)
}
