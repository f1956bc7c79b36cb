//! Proof that a copy is still what was sent, before it is removed.
//!
//! A user may have put another version in its place, with the same headers.

use std::collections::HashMap;

use mailhaul_mail::{Digests, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder_sync::{job::FolderJob, rewritten::are_texts_rewritten},
    ledger_state::CopyRecord,
    ports::Mailbox,
};

/// Copies of a folder that are read in one pass before they are removed. All are read after a change of UIDVALIDITY.
const MAX_COPIES_READ: usize = 100;
/// Size of the largest copy that is read (bytes): larger messages are no drafts.
const MAX_READ_SIZE: u64 = 256 << 10;

/// Returns the target's messages whose bytes are what was sent, as far as they are read.
///
/// If the target rewrites texts, equal headers are a sufficient proof.
pub(crate) async fn with_same_bytes<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    copies: &[(Uid, CopyRecord)],
    by_headers: UidSet,
) -> Result<UidSet, Error> {
    let sent: HashMap<Uid, CopyRecord> = copies
        .iter()
        .filter_map(|(_, it)| Some((it.target_uid.filter(|uid| by_headers.contains(*uid))?, it.as_copy())))
        .filter(|(_, it)| it.digests.is_some())
        .collect();
    let is_small = |uid: &Uid| sent.get(uid).is_some_and(|it| it.size <= MAX_READ_SIZE);
    let all: UidSet = sent.keys().copied().collect();
    let chosen: UidSet = if job.old_target_validity.is_some() {
        all.clone()
    } else {
        all.iter().filter(is_small).take(MAX_COPIES_READ).collect()
    };
    let mut others = with_other_bytes(cx, job, &sent, &chosen).await?;
    if others.is_empty() || are_texts_rewritten(cx, job, &all).await? {
        return Ok(by_headers);
    }
    others.extend(with_other_bytes(cx, job, &sent, &all.without(&chosen)).await?.iter());
    job.tally.remarks.push(format!(
        "{} messages on the target are left, which have the UIDs and the headers of copies that are to be removed, and \
         another text",
        others.len()
    ));
    Ok(by_headers.without(&others))
}

async fn with_other_bytes<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    sent: &HashMap<Uid, CopyRecord>,
    uids: &UidSet,
) -> Result<UidSet, Error> {
    if uids.is_empty() {
        return Ok(UidSet::new());
    }
    let read: Vec<(Uid, Digests)> = cx.target.digests(&job.target, uids).await?;
    let is_other = |(uid, stored): &(Uid, Digests)| {
        sent.get(uid).and_then(|it| it.digests).is_some_and(|sent| !sent.same_message(stored))
    };
    Ok(read.iter().filter(|it| is_other(it)).map(|(uid, _)| *uid).collect())
}
