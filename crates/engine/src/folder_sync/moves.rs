//! Messages that the user moved on the source are moved on the target, and not sent again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use mailhaul_mail::{Digests, Fingerprint, FolderPath, Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder_sync::{
        job::{CopyBounds, FolderHistory, FolderJob, MovedMessage, deletion_record},
        recover::recover,
    },
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState},
    matching::pairing::pair_by_bytes,
    message_plan::MessagePlan,
    ports::{Event, Ledger, Mailbox, Progress, Target},
    scan::counts::check_count,
};

/// A message that vanished, and may appear in another folder.
struct VanishedMessage {
    /// Index of the job of its folder.
    from: usize,
    uid: Uid,
    copied: CopyRecord,
    /// True if it was found in another folder.
    taken: bool,
}

/// Messages that share a fingerprint.
#[derive(Default)]
struct Alike {
    /// Messages of the scanned folder.
    new: Vec<(Uid, Digests)>,
    /// Vanished messages, by their index.
    vanished: Vec<(usize, Digests)>,
}

/// Finds messages that vanished from one folder and are new in another, or that have a new UID in the same folder.
///
/// May be called again after an error.
pub(crate) async fn find_moves<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
) -> Result<(), Error> {
    let mut vanished: Vec<VanishedMessage> = Vec::new();
    for (from, job) in jobs.iter_mut().enumerate().filter(|(_, job)| !job.has_failed()) {
        job.moves.clear();
        let movable = job.vanished.iter().filter(|(_, copied)| copied.target_uid.is_some());
        let found =
            movable.map(|(uid, it)| VanishedMessage { from, uid: *uid, copied: it.clone(), taken: false });
        vanished.extend(found);
    }
    if vanished.is_empty() {
        return Ok(());
    }
    for to in 0..jobs.len() {
        if jobs[to].has_failed() || jobs[to].history == FolderHistory::Departed {
            continue;
        }
        match find_moves_into(cx, jobs, to, &mut vanished).await {
            Err(error) if error.scope <= Scope::Folder => {
                cx.progress.event(Event::FolderFailed { folder: jobs[to].source(), error: &error });
                jobs[to].fail(error);
            }
            other => other?,
        }
    }
    Ok(())
}

async fn find_moves_into<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    to: usize,
    vanished: &mut [VanishedMessage],
) -> Result<(), Error> {
    let folder = jobs[to].source.clone();
    let state = match jobs[to].state.take() {
        Some(state) => Some(state),
        None => cx.ledger.folder(&folder).await?,
    };
    let scan = if let Some(scan) = &jobs[to].scan {
        scan.clone()
    } else {
        let scan = cx.source.scan(&folder, None).await?;
        Arc::new(check_count(cx, &jobs[to], scan).await?)
    };
    jobs[to].scan = Some(scan.clone());
    let known = |uid: Uid| state.as_ref().is_some_and(|it| it.messages.contains_key(&uid));
    let new: UidSet = scan.messages.iter().map(|it| it.uid).filter(|uid| !known(*uid)).collect();
    jobs[to].state = state;
    if new.is_empty() {
        return Ok(());
    }
    let new = cx.source.fingerprints(&folder, &new).await?;
    let looks: HashSet<Fingerprint> = new.iter().map(|(_, it)| *it).collect();
    let mut alike: Vec<usize> = (0..vanished.len())
        .filter(|index| {
            let it = &vanished[*index];
            !it.taken && looks.contains(&it.copied.fingerprint)
        })
        .collect();
    drop_absent(cx, jobs, vanished, &mut alike).await?;
    let looks: HashSet<Fingerprint> = alike.iter().map(|it| vanished[*it].copied.fingerprint).collect();
    let candidates: UidSet = new.iter().filter(|(_, it)| looks.contains(it)).map(|(uid, _)| *uid).collect();
    if candidates.is_empty() {
        return Ok(());
    }
    // Crash safety: only equal bytes prove a move. A similar message, if it counted as the moved one, would be lost. Messages
    // are compared within one fingerprint: equal or empty texts alone do not make two messages one.
    let looks: HashMap<Uid, Fingerprint> = new.into_iter().collect();
    let mut groups: BTreeMap<Fingerprint, Alike> = BTreeMap::new();
    for (uid, digests) in cx.source.digests(&folder, &candidates).await? {
        if let Some(look) = looks.get(&uid) {
            groups.entry(*look).or_default().new.push((uid, digests));
        }
    }
    for index in alike {
        let it = &vanished[index];
        if let Some(digests) = digests_of(cx, jobs, it).await? {
            groups.entry(it.copied.fingerprint).or_default().vanished.push((index, digests));
        }
    }
    let dates: HashMap<Uid, i64> =
        scan.messages.iter().filter_map(|it| Some((it.uid, it.internal_date?.unix_seconds()))).collect();
    // Of identical messages, the one with the same date of arrival was moved.
    let suit = |uid: Uid, index: usize| {
        let pair = dates.get(&uid).zip(vanished[index].copied.arrived.as_ref());
        pair.is_none_or(|(now, then)| now == then)
    };
    let pairs: Vec<(Uid, usize)> =
        groups.values().flat_map(|it| pair_by_bytes(&it.new, &it.vanished, suit)).collect();
    for (uid, index) in pairs {
        let it = &mut vanished[index];
        it.taken = true;
        let from = &jobs[it.from];
        let (from, from_target) = (from.source.clone(), from.target.clone());
        let moved = MovedMessage { from, from_target, old_uid: it.uid, copied: it.copied.clone() };
        jobs[to].moves.insert(uid, moved);
        // A move writes records of both folders: states that were read before are outdated.
        for job in jobs.iter_mut() {
            job.state = None;
        }
    }
    Ok(())
}

/// Drops messages that the target does not have any more.
///
/// The user may have removed them, or a move that a crash interrupted.
async fn drop_absent<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &[FolderJob],
    vanished: &[VanishedMessage],
    alike: &mut Vec<usize>,
) -> Result<(), Error> {
    let mut by_folder: BTreeMap<&FolderPath, UidSet> = BTreeMap::new();
    for it in alike.iter().map(|index| &vanished[*index]) {
        by_folder.entry(&jobs[it.from].target).or_default().extend(it.copied.target_uid);
    }
    let mut there: HashSet<(&FolderPath, Uid)> = HashSet::new();
    for (folder, uids) in by_folder {
        match cx.target.fingerprints(folder, &uids).await {
            Err(error) if error.scope <= Scope::Folder => {}
            other => there.extend(other?.into_iter().map(|(uid, _)| (folder, uid))),
        }
    }
    alike.retain(|index| {
        let it = &vanished[*index];
        it.copied.target_uid.is_some_and(|uid| there.contains(&(&jobs[it.from].target, uid)))
    });
    Ok(())
}

/// Returns the digests from the ledger, or from the target: the ledger has none of adopted messages.
async fn digests_of<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &[FolderJob],
    it: &VanishedMessage,
) -> Result<Option<Digests>, Error> {
    match (it.copied.digests, it.copied.target_uid) {
        (Some(digests), _) => Ok(Some(digests)),
        (None, Some(uid)) => {
            let read = cx.target.digests(&jobs[it.from].target, &[uid].into_iter().collect()).await;
            match read {
                Err(error) if error.scope <= Scope::Folder => Ok(None),
                other => Ok(other?.first().map(|(_, digests)| *digests)),
            }
        }
        (None, None) => Ok(None),
    }
}

/// Moves messages on the target that were moved on the source.
pub(crate) async fn follow_moves<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    bounds: CopyBounds<'_>,
) -> Result<(), Error> {
    let CopyBounds { append_start, owned } = bounds;
    let due: Vec<(Uid, MovedMessage)> = plan
        .copy
        .iter()
        .filter_map(|it| job.moves.get(&it.uid).map(|moved| (it.uid, moved.clone())))
        .collect();
    let mut by_folder: BTreeMap<FolderPath, Vec<(Uid, MovedMessage)>> = BTreeMap::new();
    for (uid, moved) in due {
        by_folder.entry(moved.from_target.clone()).or_default().push((uid, moved));
    }
    let mut unlocated = false;
    let mut settled = UidSet::new();
    for (from_target, moves) in by_folder {
        let pairs: HashMap<Uid, Uid> = if from_target == job.target {
            moves.iter().filter_map(|(_, it)| it.copied.target_uid).map(|uid| (uid, uid)).collect()
        } else {
            let uids: UidSet = moves.iter().map(|(uid, _)| *uid).collect();
            let mut intents = vec![LedgerRecord::Intended { folder: job.source.clone(), append_start, uids }];
            // Crash safety: after a crash, an edited message is searched for in its edited form.
            intents.extend(moves.iter().filter_map(|(uid, it)| {
                let edited = it.copied.edited.clone()?;
                let state = Some(MessageState::Repairing(edited));
                Some(LedgerRecord::Message { folder: job.source.clone(), uid: *uid, state })
            }));
            cx.record(state, &intents).await?;
            let on_target: UidSet = moves.iter().filter_map(|(_, it)| it.copied.target_uid).collect();
            cx.target.move_messages(&from_target, &job.target, &on_target).await?.into_iter().collect()
        };
        let mut records = Vec::new();
        for (uid, moved) in moves {
            job.moves.remove(&uid);
            let Some(target_uid) = moved.copied.target_uid.and_then(|old| pairs.get(&old)) else {
                unlocated = true;
                continue;
            };
            let done = MessageState::Done(CopyRecord { target_uid: Some(*target_uid), ..moved.copied });
            records.push(deletion_record(&moved.from, moved.old_uid));
            records.push(LedgerRecord::Message { folder: job.source.clone(), uid, state: Some(done) });
            settled.insert(uid);
        }
        cx.record(state, &records).await?;
    }
    if unlocated {
        // The target did not confirm the move, or returned no UIDs: the messages are searched for.
        recover(cx, job, state, owned).await?;
        let found = plan.copy.iter().map(|it| it.uid).filter(|uid| {
            !settled.contains(*uid) && matches!(state.messages.get(uid), Some(MessageState::Done(_)))
        });
        let found: Vec<Uid> = found.collect();
        settled.extend(found);
    }
    job.tally.moved += settled.len();
    job.tally.already += settled.len();
    plan.copy.retain(|it| !settled.contains(it.uid));
    Ok(())
}
