//! Proof by headers that a copy was made of its message.

use std::collections::HashMap;

use mailhaul_mail::{Fingerprint, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder_sync::job::FolderJob,
    ledger_state::{CopyRecord, MessageState},
    ports::{Ledger, Mailbox},
};

/// Returns the copies that have the headers of their message. Pairs are a source UID and a target UID.
pub(crate) async fn copies_with_our_headers<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    pairs: &[(Uid, Uid)],
) -> Result<UidSet, Error> {
    let copies: UidSet = pairs.iter().map(|(_, copy)| *copy).collect();
    let there: HashMap<Uid, Fingerprint> =
        cx.target.fingerprints(&job.target, &copies).await?.into_iter().collect();
    let known = recorded_copies(cx, job, pairs.iter().map(|(uid, _)| *uid)).await?;
    let is_ours = |(uid, copy): &&(Uid, Uid)| {
        let sent = known.get(uid).map(|copied| copied.as_copy().fingerprint);
        sent.is_some() && sent == there.get(copy).copied()
    };
    Ok(pairs.iter().filter(is_ours).map(|(_, copy)| *copy).collect())
}

/// Returns the ledger records of these messages.
pub(crate) async fn recorded_copies<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &FolderJob,
    uids: impl Iterator<Item = Uid>,
) -> Result<HashMap<Uid, CopyRecord>, Error> {
    let uids: UidSet = uids.collect();
    let state = cx.ledger.folder_around(&job.source, &uids).await?;
    let done = state.into_iter().flat_map(|it| it.messages);
    Ok(done
        .filter_map(|(uid, known)| match known {
            MessageState::Done(copied) if uids.contains(uid) => Some((uid, copied)),
            _ => None,
        })
        .collect())
}
