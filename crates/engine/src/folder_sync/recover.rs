//! Crash recovery: finds on the target the messages whose APPEND outcome is unknown.

use std::{collections::HashMap, time::Duration};

use mailhaul_mail::{Digests, FolderPath, Scope, Uid, UidSet};

use crate::{
    arrivals::{Arrival, ArrivalRules},
    context::{Ports, SyncContext},
    error::Error,
    folder::FolderStatus,
    folder_sync::{
        adopt::locate_copies,
        job::{FolderHistory, FolderJob, ScanScope},
        outcomes::report_repaired,
        quiet::wait_until_quiet,
        revalidate::check_target_validity,
    },
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState, RepairRecord},
    matching::{
        on_target::{
            Comparison, MatchCandidate, MatchedMessage, Search, SearchRange, adoption_record, compare,
            owned_uids,
        },
        pairing::Proof,
    },
    ports::{Clock, Ledger, Source, Target},
};

/// Returns target UIDs in the same target folder that belong to messages of other source folders.
pub(crate) async fn owned_by_others<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &FolderJob,
) -> Result<UidSet, Error> {
    let mut owned = UidSet::new();
    for record in cx.ledger.folders().await? {
        if record.target == *job.target()
            && record.folder != *job.source()
            && let Some(state) = cx.ledger.folder(&record.folder).await?
        {
            let uids: Vec<Uid> = state.target_uids().iter().collect();
            owned.extend(uids);
        }
    }
    Ok(owned)
}

/// Aligns the records with the target: first copies that are known, then messages with an unknown outcome.
///
/// The latter are searched for among the rest. Clears the scan if a full scan is needed.
pub(crate) async fn recover_known<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    owned: &UidSet,
) -> Result<ScanScope, Error> {
    let scope = check_target_validity(cx, job, state, owned).await?;
    if scope == ScanScope::Everything && job.history != FolderHistory::Departed {
        job.scan = None;
    }
    job.recovered += recover(cx, job, state, owned).await?;
    Ok(scope)
}

pub(crate) async fn recover<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    owned: &UidSet,
) -> Result<u64, Error> {
    if !state.intended().is_empty() {
        wait_until_quiet(cx, &job.target).await?;
        if job.history != FolderHistory::Departed {
            // A copy that the target acknowledged must not count as the copy of an identical message.
            locate_copies(cx, job, state, state.record.append_start, owned).await?;
        }
    }
    let repairing: Vec<Uid> = state.repairing().map(|(uid, _)| uid).collect();
    let source = (job.history != FolderHistory::Departed).then_some(&mut *cx.source);
    let found = find_unacknowledged(source, cx.target, cx.ledger, state, owned, |found| {
        let rules = cx.options.arrivals.as_ref();
        rules.map(|rules| recovered_arrivals(rules, cx.clock.now(), found)).unwrap_or_default()
    })
    .await?;
    for uid in repairing {
        if let Some(MessageState::Done(CopyRecord { edited: Some(edited), .. })) = state.messages.get(&uid) {
            report_repaired(cx, job, uid, edited);
        }
    }
    Ok(found)
}

/// Returns the arrivals of messages that were found on the target. Their way is not known, because they are not read.
fn recovered_arrivals(rules: &ArrivalRules, now: Duration, found: &[MatchedMessage]) -> Vec<Arrival> {
    // The copy has the date of the message.
    found.iter().filter_map(|found| rules.of_unknown_way(found.on_target.internal_date, now)).collect()
}

/// Resolves intents that a crash or a broken connection left open.
///
/// Every intent becomes a copy that was found, or is deleted so that the message is planned again. Returns the number
/// of copies. `source` is `None` if the source has the folder no more.
pub(crate) async fn find_unacknowledged<S: Source, T: Target, L: Ledger>(
    mut source: Option<&mut S>,
    target: &mut T,
    ledger: &L,
    state: &mut FolderState,
    owned_by_others: &UidSet,
    arrivals_of: impl FnOnce(&[MatchedMessage]) -> Vec<Arrival>,
) -> Result<u64, Error> {
    let intended = state.intended();
    let (false, Some(append_start)) = (intended.is_empty(), state.record.append_start) else { return Ok(0) };
    let (folder, target_folder) = (state.record.folder.clone(), state.record.target.clone());
    let edited: HashMap<Uid, RepairRecord> =
        state.repairing().map(|(uid, edited)| (uid, edited.clone())).collect();
    let mut comparison = Comparison::default();
    if let Some(now) = status_if_there(target, &target_folder).await? {
        // If the target folder was deleted and created again, the copies are gone, or anywhere in the new folder.
        let is_same = now.uid_validity == append_start.uid_validity;
        // Mail that was delivered there in the meantime may be similar to ours: only equal bytes prove a copy.
        let range = if is_same {
            SearchRange::just_sent(append_start.uid_next, Proof::Digest)
        } else {
            SearchRange::by_bytes(Uid::FIRST)
        };
        let owned = owned_uids(state, owned_by_others);
        let wanted: Vec<MatchCandidate> = intended
            .iter()
            .map(|uid| MatchCandidate {
                copy: edited.get(&uid).map(|it| it.copy),
                ..MatchCandidate::as_it_is(uid, 0)
            })
            .collect();
        let search = Search { folder: &folder, target_folder: &target_folder, owned: &owned, range };
        comparison = compare(source.as_deref_mut(), target, search, &wanted).await?;
        if !is_same {
            comparison.unmatched.clear();
        }
    }
    let done = |it: &MatchedMessage| {
        let there = &it.on_target;
        let copied = match edited.get(&it.uid) {
            Some(edited) => edited.copied(Some(there.uid), there.flags.clone(), true),
            None => adoption_record(it, true),
        };
        (it.uid, MessageState::Done(copied))
    };
    let mut states: HashMap<Uid, MessageState> = comparison.found.iter().map(done).collect();
    // Messages that left the source since, and unknown messages of the target: the latter are probably copies of the
    // former. With a record, they are found if they appear in another folder of the source. `ours` is false for
    // unproved copies, so that they are never removed.
    let mut gone: Vec<Uid> = intended.iter().filter(|uid| !comparison.on_source.contains(*uid)).collect();
    // Edited messages were searched for in the form in which they were sent: a guess is useless.
    gone.retain(|uid| !edited.contains_key(uid));
    if !gone.is_empty() && !comparison.unmatched.is_empty() {
        if let Some(source) = source {
            // A header that the server does not return is no proof.
            let present = source.scan(&folder, None).await?.present;
            gone.retain(|uid| !present.contains(*uid));
        }
        let unknown: UidSet = comparison.unmatched.iter().map(|(it, _)| it.uid).collect();
        let digests: HashMap<Uid, Digests> =
            target.digests(&target_folder, &unknown).await?.into_iter().collect();
        for (uid, (on_target, fingerprint)) in gone.into_iter().zip(comparison.unmatched) {
            let digests = digests.get(&on_target.uid).copied();
            let found = MatchedMessage { uid, on_target, fingerprint, digests };
            states.insert(uid, MessageState::Done(adoption_record(&found, false)));
        }
    }
    let record = |uid: Uid| LedgerRecord::Message { folder: folder.clone(), uid, state: states.remove(&uid) };
    let mut records: Vec<LedgerRecord> = intended.iter().map(record).collect();
    let arrivals = arrivals_of(&comparison.found);
    if !arrivals.is_empty() {
        records.push(LedgerRecord::Arrived { folder: folder.clone(), arrivals });
    }
    ledger.record(&records).await?;
    state.apply_all(&records);
    Ok(comparison.found.len() as u64)
}

/// Returns the folder's state; `None` if the target has no such folder.
///
/// Crash safety: an unknown state is an error. If the folder counted as missing, all its messages would be sent twice.
async fn status_if_there<T: Target>(
    target: &mut T,
    folder: &FolderPath,
) -> Result<Option<FolderStatus>, Error> {
    match target.status(folder).await {
        Err(error) if error.scope <= Scope::Folder => {
            let is_listed = target.folders().await?.iter().any(|it| it.selectable && it.path == *folder);
            if is_listed { Err(error) } else { Ok(None) }
        }
        other => other.map(Some),
    }
}
