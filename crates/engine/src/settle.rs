//! Finding messages that are on the target already: after a crash, after a lost answer, after a lost ledger.
//!
//! One mechanism for all: fingerprints of both sides, matched as multisets; digests where that is ambiguous.

use std::collections::HashMap;

use mailhaul_mail::{Digests, Fingerprint, FolderPath, Uid, UidSet};

use crate::{
    error::Error,
    folder::{MessageInfo, Scan},
    pairing::{Candidate, pair_by_digests, pair_by_fingerprint},
    ports::{Ledger, Mailbox, Source, Target},
    record::{Copied, FolderState, MessageState, Record},
};

/// Where to look on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// What was put there since we began to: only copies of ours can match.
    Ours(Uid),
    /// The whole folder, which others may have filled.
    All,
}

/// A message of the source that was found on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) uid: Uid,
    pub(crate) on_target: MessageInfo,
    pub(crate) fingerprint: Fingerprint,
}

/// Finds messages of the source folder on the target. `owned` are target UIDs that belong to other messages.
pub(crate) async fn find_on_target<S: Mailbox, T: Mailbox>(
    source: &mut S,
    target: &mut T,
    folder: &FolderPath,
    target_folder: &FolderPath,
    wanted: &[(Uid, u64)],
    owned: &UidSet,
    among: Among,
) -> Result<Vec<Found>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let there: Vec<MessageInfo> = target.scan(target_folder, None).await?.messages;
    let first = match among {
        Among::Ours(first) => first,
        Among::All => Uid::FIRST,
    };
    let there: HashMap<Uid, MessageInfo> = there
        .into_iter()
        .filter(|it| it.uid >= first && !owned.contains(it.uid))
        .map(|it| (it.uid, it))
        .collect();
    if there.is_empty() {
        return Ok(Vec::new());
    }
    let mut on_target: UidSet = UidSet::new();
    let mut uids: Vec<Uid> = there.keys().copied().collect();
    uids.sort_unstable();
    on_target.extend(uids);
    let right =
        candidates(target, target_folder, &on_target, |uid| there.get(&uid).map_or(0, |it| it.size)).await?;
    let sizes: HashMap<Uid, u64> = wanted.iter().copied().collect();
    let on_source: UidSet = wanted.iter().map(|(uid, _)| *uid).collect();
    let left = candidates(source, folder, &on_source, |uid| sizes.get(&uid).copied().unwrap_or(0)).await?;

    let pairing = pair_by_fingerprint(&left, &right, matches!(among, Among::Ours(_)));
    let mut pairs = pairing.sure;
    let (mut left_doubt, mut right_doubt) = (UidSet::new(), UidSet::new());
    for doubt in &pairing.doubts {
        left_doubt.extend(doubt.left.iter().copied());
        right_doubt.extend(doubt.right.iter().copied());
    }
    if !left_doubt.is_empty() {
        let left: HashMap<Uid, Digests> = source.digests(folder, &left_doubt).await?.into_iter().collect();
        let right: HashMap<Uid, Digests> =
            target.digests(target_folder, &right_doubt).await?.into_iter().collect();
        let known = |uids: &[Uid], digests: &HashMap<Uid, Digests>| -> Vec<(Uid, Digests)> {
            uids.iter().filter_map(|uid| Some((*uid, *digests.get(uid)?))).collect()
        };
        for doubt in &pairing.doubts {
            pairs.extend(pair_by_digests(&known(&doubt.left, &left), &known(&doubt.right, &right)));
        }
    }
    let fingerprints: HashMap<Uid, Fingerprint> = left.iter().map(|it| (it.uid, it.fingerprint)).collect();
    let found = pairs.into_iter().filter_map(|(uid, other)| {
        Some(Found { uid, on_target: there.get(&other)?.clone(), fingerprint: *fingerprints.get(&uid)? })
    });
    Ok(found.collect())
}

async fn candidates<M: Mailbox>(
    mailbox: &mut M,
    folder: &FolderPath,
    uids: &UidSet,
    size: impl Fn(Uid) -> u64 + Send,
) -> Result<Vec<Candidate>, Error> {
    let fingerprints = mailbox.fingerprints(folder, uids).await?;
    Ok(fingerprints
        .into_iter()
        .map(|(uid, fingerprint)| Candidate { uid, fingerprint, size: size(uid) })
        .collect())
}

/// Settles what a crash or a broken connection left open: every intent becomes a copy that was found, or is forgotten
/// so that it is planned again. Returns how many were found.
pub(crate) async fn settle<S: Source, T: Target, L: Ledger>(
    source: &mut S,
    target: &mut T,
    ledger: &L,
    state: &mut FolderState,
    owned_by_others: &UidSet,
) -> Result<u64, Error> {
    let intended = state.intended();
    let (false, Some(floor)) = (intended.is_empty(), state.record.floor) else { return Ok(0) };
    let (folder, target_folder) = (state.record.folder.clone(), state.record.target.clone());
    let now = target.status(&target_folder).await?;
    // A folder made anew under us: what we sent before is gone with the old one, or lies anywhere in the new one.
    let among = if now.uid_validity == floor.uid_validity { Among::Ours(floor.uid_next) } else { Among::All };
    let mut owned = state.target_uids();
    owned_by_others.ranges().for_each(|(first, last)| owned.insert_range(first, last));
    let wanted: Vec<(Uid, u64)> = intended.iter().map(|uid| (uid, 0)).collect();
    let found = find_on_target(source, target, &folder, &target_folder, &wanted, &owned, among).await?;
    let by_uid: HashMap<Uid, &Found> = found.iter().map(|it| (it.uid, it)).collect();
    let records: Vec<Record> = intended
        .iter()
        .map(|uid| {
            let state = by_uid.get(&uid).map(|found| MessageState::Done(adopted(found, true)));
            Record::Message { folder: folder.clone(), uid, state }
        })
        .collect();
    ledger.record(&records).await?;
    state.learn(&records);
    Ok(found.len() as u64)
}

/// The record of a message that was found. Its flags are taken as the target has them, so that the next comparison
/// with the source carries over what is missing.
pub(crate) fn adopted(found: &Found, ours: bool) -> Copied {
    Copied {
        target_uid: Some(found.on_target.uid),
        flags: found.on_target.flags.clone(),
        fingerprint: found.fingerprint,
        digests: None,
        size: found.on_target.size,
        ours,
    }
}

/// The source's UIDVALIDITY changed: pairs the messages of the scan with the old records and begins the folder afresh
/// with what could be paired. Returns how many records could not.
pub(crate) async fn follow_new_validity<S: Source, L: Ledger>(
    source: &mut S,
    ledger: &L,
    state: &mut FolderState,
    scan: &Scan,
) -> Result<u64, Error> {
    let folder = state.record.folder.clone();
    let old: Vec<(Uid, Copied)> = state
        .messages
        .iter()
        .filter_map(|(uid, it)| match it {
            MessageState::Done(copied) => Some((*uid, copied.clone())),
            _ => None,
        })
        .collect();
    let uids: UidSet = scan.messages.iter().map(|it| it.uid).collect();
    let mut pairs = Vec::new();
    if !old.is_empty() && !uids.is_empty() {
        let sizes: HashMap<Uid, u64> = scan.messages.iter().map(|it| (it.uid, it.size)).collect();
        let new = candidates(source, &folder, &uids, |uid| sizes.get(&uid).copied().unwrap_or(0)).await?;
        let known: Vec<Candidate> = old
            .iter()
            .map(|(uid, it)| Candidate { uid: *uid, fingerprint: it.fingerprint, size: it.size })
            .collect();
        let pairing = pair_by_fingerprint(&new, &known, false);
        pairs = pairing.sure;
        let doubtful: UidSet = pairing.doubts.iter().flat_map(|doubt| doubt.left.iter().copied()).collect();
        if !doubtful.is_empty() {
            let read: HashMap<Uid, Digests> = source.digests(&folder, &doubtful).await?.into_iter().collect();
            let kept: HashMap<Uid, Digests> =
                old.iter().filter_map(|(uid, it)| Some((*uid, it.digests?))).collect();
            for doubt in &pairing.doubts {
                let of = |uids: &[Uid], digests: &HashMap<Uid, Digests>| -> Vec<(Uid, Digests)> {
                    uids.iter().filter_map(|uid| Some((*uid, *digests.get(uid)?))).collect()
                };
                pairs.extend(pair_by_digests(&of(&doubt.left, &read), &of(&doubt.right, &kept)));
            }
        }
    }
    let by_old: HashMap<Uid, &Copied> = old.iter().map(|(uid, it)| (*uid, it)).collect();
    let mut records = vec![Record::Opened {
        folder: folder.clone(),
        target: state.record.target.clone(),
        uid_validity: scan.status.uid_validity,
    }];
    if let Some(uid_validity) = state.record.target_validity {
        records.push(Record::TargetValidity { folder: folder.clone(), uid_validity });
    }
    records.extend(pairs.iter().filter_map(|(new, old)| {
        let copied = (*by_old.get(old)?).clone();
        Some(Record::Message { folder: folder.clone(), uid: *new, state: Some(MessageState::Done(copied)) })
    }));
    ledger.record(&records).await?;
    state.learn(&records);
    Ok((old.len() - pairs.len()) as u64)
}
