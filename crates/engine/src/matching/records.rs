//! Ledger records, matched with the messages of a folder whose UIDs changed.

use std::collections::{HashMap, HashSet};

use mailhaul_mail::{Digests, FolderPath, Uid, UidSet};

use crate::{
    error::Error,
    folder::{MessageInfo, Scan},
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState},
    matching::{
        on_target::{candidates, shown},
        pairing::{Candidate, Proof, pair_by_fingerprint, pair_doubts},
    },
    ports::{Ledger, Mailbox, Source},
};

/// Pairs the messages of the scan with records of an older UIDVALIDITY, and opens the folder again with them.
///
/// Returns the number of records without a message.
pub(crate) async fn follow_new_validity<S: Source, L: Ledger>(
    source: &mut S,
    ledger: &L,
    state: &mut FolderState,
    scan: &Scan,
) -> Result<u64, Error> {
    let folder = state.record.folder.clone();
    let old: Vec<(Uid, CopyRecord)> = state.done().map(|(uid, it)| (uid, it.clone())).collect();
    let pairs = pair_records(source, &folder, &scan.messages, &old, None::<(&mut S, _)>).await?;
    let by_old: HashMap<Uid, &CopyRecord> = old.iter().map(|(uid, it)| (*uid, it)).collect();
    let mut records = vec![LedgerRecord::Opened {
        folder: folder.clone(),
        target: state.record.target.clone(),
        uid_validity: scan.status.uid_validity,
    }];
    if scan.status.uid_validity == state.record.uid_validity {
        // UIDVALIDITY is unchanged, so the folder keeps its records: those without a message are deleted one by one.
        let paired: HashSet<Uid> = pairs.iter().map(|(_, new)| *new).collect();
        let forgotten = state.messages.keys().filter(|uid| !paired.contains(uid));
        records.extend(forgotten.map(|uid| LedgerRecord::Message {
            folder: folder.clone(),
            uid: *uid,
            state: None,
        }));
    }
    if let Some(uid_validity) = state.record.target_validity {
        records.push(LedgerRecord::TargetValidity { folder: folder.clone(), uid_validity });
    }
    records.extend(pairs.iter().filter_map(|(old, new)| {
        let copied = (*by_old.get(old)?).clone();
        Some(LedgerRecord::Message {
            folder: folder.clone(),
            uid: *new,
            state: Some(MessageState::Done(copied)),
        })
    }));
    ledger.record(&records).await?;
    state.apply_all(&records);
    Ok((old.len() - pairs.len()) as u64)
}

/// Pairs records with the messages that a folder of either server holds now under other UIDs.
///
/// Fingerprint, size and date of arrival count; digests if these are ambiguous. Digests that the ledger lacks are read
/// from `recorded`, where the records' own UIDs are still valid. Returns the records' UIDs, each with the new one.
pub(crate) async fn pair_records<M: Mailbox, R: Mailbox>(
    mailbox: &mut M,
    folder: &FolderPath,
    there: &[MessageInfo],
    records: &[(Uid, CopyRecord)],
    recorded: Option<(&mut R, &FolderPath)>,
) -> Result<Vec<(Uid, Uid)>, Error> {
    if there.is_empty() || records.is_empty() {
        return Ok(Vec::new());
    }
    let now: HashMap<Uid, &MessageInfo> = there.iter().map(|it| (it.uid, it)).collect();
    let then: HashMap<Uid, &CopyRecord> = records.iter().map(|(uid, it)| (*uid, it)).collect();
    let uids: UidSet = there.iter().map(|it| it.uid).collect();
    let right = candidates(mailbox, folder, &uids, |uid| now.get(&uid).map(|it| shown(it))).await?;
    let candidate = |(uid, it): &(Uid, CopyRecord)| {
        let CopyRecord { fingerprint, size, arrived, .. } = *it;
        Candidate { uid: *uid, fingerprint, size, arrived }
    };
    let left: Vec<Candidate> = records.iter().map(candidate).collect();
    let pairing = pair_by_fingerprint(&left, &right, Proof::SizeAndDate);
    let mut pairs = pairing.sure;
    let doubtful: UidSet = pairing.doubts.iter().flat_map(|doubt| doubt.right.iter().copied()).collect();
    if doubtful.is_empty() {
        return Ok(pairs);
    }
    let read: HashMap<Uid, Digests> = mailbox.digests(folder, &doubtful).await?.into_iter().collect();
    let mut kept: HashMap<Uid, Digests> =
        records.iter().filter_map(|(uid, it)| Some((*uid, it.digests?))).collect();
    // The ledger has no digests of messages that were adopted by their size.
    let lacking = pairing.doubts.iter().flat_map(|doubt| doubt.left.iter().copied());
    let lacking: UidSet = lacking.filter(|uid| !kept.contains_key(uid)).collect();
    if let Some((mailbox, folder)) = recorded
        && !lacking.is_empty()
    {
        kept.extend(mailbox.digests(folder, &lacking).await?);
    }
    // Identical messages are distinguished by their flags. Else one would get the flags of the other.
    let suit =
        |uid: Uid, other: Uid| then.get(&uid).map(|it| &it.flags) == now.get(&other).map(|it| &it.flags);
    pairs.extend(pair_doubts(&pairing.doubts, &kept, &read, suit));
    Ok(pairs)
}
