//! Detects a target that stores one message twice.

use std::collections::{BTreeMap, HashSet};

use mailhaul_mail::{Digest, InternalDate, Retry, Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind},
    folder::MessageInfo,
    folder_sync::{job::FolderJob, read_back::StoredCopy},
    ledger_state::FolderState,
    matching::on_target::owned_uids,
    ports::{Ledger, Mailbox},
};

/// Suspected copies that are read, for each transfer.
const SAMPLE: usize = 20;

/// Finds messages with the size and date of a copy that no acknowledgement named. Pure.
pub(crate) fn suspects(
    copies: &[StoredCopy<'_>],
    shown: &BTreeMap<Uid, MessageInfo>,
    strangers: &UidSet,
) -> UidSet {
    let key = |message: &MessageInfo| (message.size, message.internal_date.map(InternalDate::unix_seconds));
    let known: HashSet<_> = copies.iter().filter_map(|it| shown.get(&it.copy)).map(key).collect();
    let alike = shown.values().filter(|message| strangers.contains(message.uid));
    alike.filter(|message| known.contains(&key(message))).map(|message| message.uid).collect()
}

/// Searches for second copies of the messages that were just sent, and fails with their number.
///
/// Nothing is removed: another program may have put them there, and may take our copies for the second ones.
pub(crate) async fn check_doubles<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    state: &FolderState,
    owned: &UidSet,
    copies: &[StoredCopy<'_>],
    suspects: &UidSet,
) -> Result<(), Error> {
    if suspects.is_empty() {
        return Ok(());
    }
    // Copies without a returned UID have been found in the meantime.
    let all = cx.ledger.folder(&job.source).await?;
    let suspects = suspects.without(&owned_uids(all.as_ref().unwrap_or(state), owned));
    let sample: UidSet = suspects.iter().take(SAMPLE).collect();
    if sample.is_empty() {
        return Ok(());
    }
    let sent: HashSet<Digest> =
        copies.iter().filter_map(|it| it.message.digests).map(|it| it.whole).collect();
    let read = cx.target.digests(&job.target, &sample).await?;
    if read.iter().all(|(_, digests)| !sent.contains(&digests.whole)) {
        return Ok(());
    }
    let count = suspects.len();
    let messages = if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
    let words = format!(
        "the target shows {messages} twice; either the server stored what was sent twice, or another program copies the \
         same mail; no message was removed"
    );
    Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, words))
}
