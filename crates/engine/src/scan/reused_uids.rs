//! Detection of UIDs that a source uses again for other messages although UIDVALIDITY stays.
//!
//! Protocol: RFC 9051, section 2.3.1.1, forbids it. Servers that were restored from a backup do it, and bridges. A
//! scan of changes is believed only if the numbers of the folder grew since the last pass, and its UIDs are known or
//! new.

use std::collections::HashMap;

use mailhaul_mail::{Fingerprint, InternalDate, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::{FolderStatus, MessageInfo, Present, Scan},
    folder_sync::job::FolderJob,
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState},
    ports::Mailbox,
    scan::counts::twin,
};

/// Messages whose headers are compared before a folder is paired again.
const SAMPLE: usize = 20;
/// Vanished messages that a scan of changes may report if its UIDs cannot be checked.
const MAX_UNCHECKED_VANISHED: usize = 5;

/// True if the folder's numbers are lower than before, although UIDVALIDITY stays. Pure.
///
/// The server was restored from a backup, and may have given UIDs again. A scan of changes would not show those
/// messages.
pub(crate) fn went_back(then: &FolderStatus, now: &FolderStatus) -> bool {
    let is_lower = then.uid_next.zip(now.uid_next).is_some_and(|(then, now)| now < then)
        || then.highest_modseq.zip(now.highest_modseq).is_some_and(|(then, now)| now < then);
    then.uid_validity == now.uid_validity && is_lower
}

/// True if messages vanished by a scan of changes with wrong UIDs: some are neither known nor shown. Pure.
///
/// `is_partial`: the folder holds messages that the ledger does not know.
fn is_doubtful(scan: &Scan, state: &FolderState, is_partial: bool) -> bool {
    let Present::These(there) = &scan.present else { return false };
    let vanished = state.done().filter(|(uid, _)| !there.contains(*uid)).count();
    if vanished == 0 || is_partial {
        return vanished > MAX_UNCHECKED_VANISHED;
    }
    let shown = scan.messages.iter().map(|it| it.uid).chain(scan.unseen.iter().map(|it| it.uid));
    let shown: UidSet = shown.collect();
    there.without(&shown).iter().any(|uid| !state.messages.contains_key(&uid))
}

/// The messages with the highest known UIDs. Reused UIDs are the highest ones.
fn highest_known(scan: &Scan, state: &FolderState) -> impl Iterator<Item = Uid> {
    let is_known = |uid: &Uid| matches!(state.messages.get(uid), Some(MessageState::Done(_)));
    scan.messages.iter().rev().map(|it| it.uid).filter(is_known).take(SAMPLE)
}

/// Returns messages whose size or date of arrival changed since they were copied. Pure.
pub(crate) fn contradictions(scan: &Scan, state: &FolderState) -> Vec<Uid> {
    let differs = |size: u64, date: Option<i64>, copied: &CopyRecord| match (date, copied.arrived) {
        (Some(now), Some(then)) => now != then || (size != copied.size && size > 0 && copied.size > 0),
        // In older records, the size may be the target's.
        _ => false,
    };
    let is_other = |uid: Uid, size: u64, date: Option<i64>| match state.messages.get(&uid) {
        Some(MessageState::Done(copied)) => differs(size, date, copied),
        _ => false,
    };
    let date = |it: &MessageInfo| it.internal_date.map(InternalDate::unix_seconds);
    scan.messages.iter().filter(|it| is_other(it.uid, it.size, date(it))).map(|it| it.uid).collect()
}

/// True if the folder's numbers suggest reused UIDs: they are lower than before, or those of another folder. Pure.
fn may_reuse(job: &FolderJob, state: &FolderState, scan: &Scan) -> bool {
    state.record.cursor.is_some_and(|it| went_back(&it.status, &scan.status))
        || twin(job, &scan.status).is_some()
}

/// True if this scan of changes does not suffice.
pub(crate) fn must_show_all<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &FolderJob,
    state: &FolderState,
    scan: &Scan,
) -> bool {
    let is_partial = job.view.is_some() || !cx.source.view().is_empty();
    may_reuse(job, state, scan) || is_doubtful(scan, state, is_partial)
}

/// True if a known UID is another message now.
///
/// A server may correct size and date: headers decide, and the record of an unchanged message gets the new values.
/// Another message may have the same size and date.
pub(crate) async fn has_reused_uids<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    state: &mut FolderState,
    scan: &Scan,
) -> Result<bool, Error> {
    let told_otherwise: UidSet = contradictions(scan, state).into_iter().take(SAMPLE).collect();
    let mut sample = told_otherwise.clone();
    if may_reuse(job, state, scan) {
        sample.extend(highest_known(scan, state));
    }
    if sample.is_empty() {
        return Ok(false);
    }
    let now: HashMap<Uid, Fingerprint> =
        cx.source.fingerprints(&job.source, &sample).await?.into_iter().collect();
    let known = |uid: Uid| match state.messages.get(&uid) {
        Some(MessageState::Done(copied)) => Some(copied),
        _ => None,
    };
    let is_other =
        |uid: &Uid| now.get(uid).zip(known(*uid)).is_some_and(|(now, then)| *now != then.fingerprint);
    if sample.iter().any(|uid| is_other(&uid)) {
        return Ok(true);
    }
    let told = scan.messages.iter().filter(|it| told_otherwise.contains(it.uid)).filter_map(|it| {
        let copied = CopyRecord {
            size: it.size,
            arrived: it.internal_date.map(InternalDate::unix_seconds),
            ..known(it.uid)?.clone()
        };
        let state = Some(MessageState::Done(copied));
        Some(LedgerRecord::Message { folder: job.source.clone(), uid: it.uid, state })
    });
    let told: Vec<LedgerRecord> = told.collect();
    cx.record(state, &told).await?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{ModSeq, UidValidity};

    use super::*;

    #[test]
    fn numbers_go_back_only_under_one_uidvalidity() {
        let status = |validity, next, modseq: Option<u64>| FolderStatus {
            messages: 5,
            uid_validity: UidValidity::new(validity).unwrap(),
            uid_next: Uid::new(next),
            highest_modseq: modseq.map(ModSeq),
        };
        let then = status(1, 61, Some(60));
        assert!(went_back(&then, &status(1, 51, Some(60))) && went_back(&then, &status(1, 61, Some(50))));
        assert!(!went_back(&then, &then) && !went_back(&then, &status(1, 62, None)));
        assert!(!went_back(&then, &status(2, 51, Some(50))));
    }
}
