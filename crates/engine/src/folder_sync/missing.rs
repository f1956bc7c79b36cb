//! Search for messages that the target acknowledged, and that are not at the UID that it returned.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use mailhaul_mail::{Digests, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::{
        adopt::locate_copies,
        job::{CopyBounds, FolderJob},
        own_headers::recorded_copies,
        quiet::wait_until_quiet,
        read_back::StoredCopy,
    },
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState},
    matching::{
        on_target::{MatchCandidate, Search, SearchRange, adoption_record, find_on_target, owned_uids},
        pairing::Proof,
    },
    ports::{Clock, Ledger, Target},
    scan::counts::check_target_count,
    transfer::recorder::Acknowledged,
};

/// Time between two polls for messages that the target accepted and does not show.
const LATE_INTERVAL: Duration = Duration::from_secs(1);

/// Returns the copies of messages that were missing at first and were found.
pub(crate) async fn located_copies<'a, M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    acknowledged: &'a [Acknowledged],
    missing: &[Uid],
    shown: &mut BTreeMap<Uid, MessageInfo>,
) -> Result<Vec<StoredCopy<'a>>, Error> {
    let known = recorded_copies(cx, job, missing.iter().copied()).await?;
    let positions: HashMap<Uid, Uid> =
        known.iter().filter_map(|(uid, copied)| Some((*uid, copied.target_uid?))).collect();
    let unseen = positions.values().filter(|copy| !shown.contains_key(copy)).min();
    if let Some(first) = unseen.copied() {
        let look = cx.target.stored(&job.target, first, None, &UidSet::new()).await?;
        shown.extend(look.messages.into_iter().map(|message| (message.uid, message)));
    }
    let stored = |message| Some(StoredCopy::new(message, shown.get(positions.get(&message.uid)?)?));
    Ok(acknowledged.iter().filter_map(stored).collect())
}

/// Returns the messages that have no other copy in the folder.
///
/// On a server that merges identical messages, a missing message with an equal recorded copy is not lost.
pub(crate) async fn without_twins<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &FolderJob,
    missing: Vec<Uid>,
) -> Result<Vec<Uid>, Error> {
    let Some(all) = cx.ledger.folder(&job.source).await? else { return Ok(missing) };
    let absent: HashSet<Uid> = missing.iter().copied().collect();
    let there: HashSet<Digests> =
        all.done().filter(|(uid, _)| !absent.contains(uid)).filter_map(|(_, it)| it.digests).collect();
    let has_twin = |uid: &Uid| match all.messages.get(uid) {
        Some(MessageState::Done(copied)) => copied.digests.is_some_and(|it| there.contains(&it)),
        _ => false,
    };
    Ok(missing.into_iter().filter(|uid| !has_twin(uid)).collect())
}

/// Searches for acknowledged messages by their headers or bytes.
///
/// Returns those that are not there after the target had time to show them. Empty if the target is known to show
/// messages late.
pub(crate) async fn find_missing<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    bounds: CopyBounds<'_>,
    missing: &[Uid],
) -> Result<Vec<Uid>, Error> {
    let CopyBounds { append_start, owned } = bounds;
    let known = recorded_copies(cx, job, missing.iter().copied()).await?;
    let unlocated = known.into_iter().map(|(uid, copied)| LedgerRecord::Message {
        folder: job.source.clone(),
        uid,
        state: Some(MessageState::Done(CopyRecord { target_uid: None, ..copied })),
    });
    let unlocated: Vec<LedgerRecord> = unlocated.collect();
    cx.record(state, &unlocated).await?;
    locate_copies(cx, job, state, Some(append_start), owned).await?;
    let is_lost = |state: &FolderState, uid: &Uid| match state.messages.get(uid) {
        Some(MessageState::Done(copied)) => copied.target_uid.is_none(),
        _ => false,
    };
    let lost = |state: &FolderState| -> Vec<Uid> {
        missing.iter().filter(|uid| is_lost(state, uid)).copied().collect()
    };
    if lost(state).is_empty() || cx.target.habits().shows_late {
        return Ok(Vec::new());
    }
    for _ in 0..job.resends.polls() {
        cx.clock.sleep(LATE_INTERVAL).await;
        wait_until_quiet(cx, &job.target).await?;
        locate_copies(cx, job, state, Some(append_start), owned).await?;
        if lost(state).is_empty() || cx.stop.is_cancelled() {
            break;
        }
    }
    if !lost(state).is_empty() {
        // The target's UIDNEXT may be too high: then no copy is ever at or above the start.
        locate_copies(cx, job, state, None, owned).await?;
    }
    let lost = lost(state);
    if !lost.is_empty() {
        check_target_count(cx, job).await?;
    }
    Ok(lost)
}

/// Adopts messages that the server stored although it answered NO, or that it shows late. Called before a resend.
pub(crate) async fn adopt_unexpected<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    owned: &UidSet,
    first: Uid,
    sought: &[Uid],
) -> Result<UidSet, Error> {
    if sought.is_empty() {
        return Ok(UidSet::new());
    }
    let all = cx.ledger.folder(&job.source).await?;
    let owned = owned_uids(all.as_ref().unwrap_or(state), owned);
    let range = SearchRange::just_sent(first, Proof::Digest);
    let wanted: Vec<MatchCandidate> = sought.iter().map(|uid| MatchCandidate::as_it_is(*uid, 0)).collect();
    let search = Search { folder: &job.source, target_folder: &job.target, owned: &owned, range };
    let found = find_on_target(cx.source, cx.target, search, &wanted).await?;
    let done = |it| MessageState::Done(adoption_record(it, true));
    let records: Vec<LedgerRecord> = found
        .iter()
        .map(|it| LedgerRecord::Message { folder: job.source.clone(), uid: it.uid, state: Some(done(it)) })
        .collect();
    cx.record(state, &records).await?;
    job.tally.copied += records.len() as u64;
    Ok(found.iter().map(|it| it.uid).collect())
}
