//! Messages that the target has already: they are recorded as copies and not sent.

use std::collections::HashMap;

use mailhaul_mail::{InternalDate, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::{job::FolderJob, quiet::wait_until_quiet},
    ledger_state::{AppendStart, CopyRecord, FolderState, LedgerRecord, MessageState},
    matching::{
        on_target::{
            MatchCandidate, MatchedMessage, Search, SearchRange, adoption_record, find_on_target, owned_uids,
        },
        pairing::Proof,
    },
    message_plan::MessagePlan,
    ports::Ledger,
};

/// Adopts those planned messages that `are_sought` and that the target folder holds.
pub(crate) async fn adopt<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    owned: &UidSet,
    range: SearchRange,
    are_sought: impl Fn(&MessageInfo) -> bool,
) -> Result<(), Error> {
    if !job.has_waited {
        wait_until_quiet(cx, &job.target).await?;
        job.has_waited = true;
    }
    let owned = owned_uids(state, owned);
    let wanted: Vec<MatchCandidate> =
        plan.copy.iter().filter(|it| are_sought(it)).map(MatchCandidate::shown).collect();
    let search = Search { folder: &job.source, target_folder: &job.target, owned: &owned, range };
    let found = find_on_target(cx.source, cx.target, search, &wanted).await?;
    record_adopted(cx, job, state, plan, &found).await
}

/// Records messages that were found on the target as copied.
pub(crate) async fn record_adopted<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    found: &[MatchedMessage],
) -> Result<(), Error> {
    let planned: HashMap<Uid, &MessageInfo> = plan.copy.iter().map(|it| (it.uid, it)).collect();
    let record = |it: &MatchedMessage| {
        let mut copied = adoption_record(it, false);
        if let Some(message) = planned.get(&it.uid) {
            // Crash safety: a flag that only the target has was set there by the user, and stays.
            copied.flags = copied.flags.filtered(|name| message.flags.contains(name));
            copied.size = message.size;
            copied.arrived = message.internal_date.map(InternalDate::unix_seconds);
        }
        let state = Some(MessageState::Done(copied));
        LedgerRecord::Message { folder: job.source.clone(), uid: it.uid, state }
    };
    let records: Vec<LedgerRecord> = found.iter().map(record).collect();
    cx.record(state, &records).await?;
    let adopted: UidSet = found.iter().map(|it| it.uid).collect();
    plan.copy.retain(|it| !adopted.contains(it.uid));
    job.tally.already += found.len() as u64;
    Ok(())
}

/// Finds the UIDs of copies that the target acknowledged without returning a UID.
///
/// With a start, messages from its UID on count. Without one, only equal bytes anywhere in the folder count. Returns
/// the number of copies that were found.
pub(crate) async fn locate_copies<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    state: &mut FolderState,
    append_start: Option<AppendStart>,
    owned: &UidSet,
) -> Result<usize, Error> {
    let unlocated = state.done().filter(|(_, copied)| copied.target_uid.is_none());
    let copy = |it: &CopyRecord| it.edited.as_ref().map(|it| it.copy);
    let sought = |(uid, it): (Uid, &CopyRecord)| MatchCandidate {
        uid,
        size: it.size,
        copy: copy(it),
        arrived: it.arrived,
    };
    let lost: Vec<MatchCandidate> = unlocated.map(sought).collect();
    if lost.is_empty() {
        return Ok(0);
    }
    if let Some(all) = cx.ledger.folder(&job.source).await? {
        *state = all;
    }
    let owned = owned_uids(state, owned);
    let range = match append_start {
        Some(append_start) => SearchRange::just_sent(append_start.uid_next, Proof::Fingerprint),
        None => SearchRange::by_bytes(Uid::FIRST),
    };
    let search = Search { folder: &job.source, target_folder: &job.target, owned: &owned, range };
    let found = find_on_target(cx.source, cx.target, search, &lost).await?;
    let records: Vec<LedgerRecord> = found
        .iter()
        .filter_map(|it| match state.messages.get(&it.uid) {
            Some(MessageState::Done(copied)) => Some(LedgerRecord::Message {
                folder: job.source.clone(),
                uid: it.uid,
                state: Some(MessageState::Done(CopyRecord {
                    target_uid: Some(it.on_target.uid),
                    ..copied.clone()
                })),
            }),
            _ => None,
        })
        .collect();
    cx.record(state, &records).await?;
    Ok(records.len())
}
