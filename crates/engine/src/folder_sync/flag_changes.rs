//! Changes of flags of messages that are on the target already.

use std::collections::BTreeMap;

use mailhaul_mail::{Flags, FolderPath, Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::Scan,
    folder_sync::job::FolderJob,
    ledger_state::{FolderState, LedgerRecord, MessageState},
    message_plan::flag_updates,
    ports::{FlagChange, Target},
};

/// Maximum number of changes sent while the target waits for bodies. The source stalls once the buffer is full.
const MAX_EARLY_CHANGES: usize = 100;
/// Maximum number of messages in these changes.
const MAX_EARLY_MESSAGES: u64 = 1000;

/// Groups messages with the same change. Each item has flags to add, flags to remove, and the target UID.
pub(crate) fn grouped(changes: impl Iterator<Item = (Flags, Flags, Uid)>) -> Vec<FlagChange> {
    let mut groups: BTreeMap<(Flags, Flags), UidSet> = BTreeMap::new();
    for (add, remove, uid) in changes {
        groups.entry((add, remove)).or_default().insert(uid);
    }
    groups.into_iter().map(|((add, remove), uids)| FlagChange { uids, add, remove }).collect()
}

/// Changes of a folder that the ledger has as intended.
pub(crate) struct IntendedFlags {
    changes: Vec<FlagChange>,
    /// Ledger records for when the changes are made.
    records: Vec<LedgerRecord>,
}

/// Changes to send while the target waits for the first bodies.
#[derive(Default)]
pub(crate) struct EarlyFlagChanges {
    changes: Vec<FlagChange>,
    outcome: Option<Result<(), Error>>,
}

impl EarlyFlagChanges {
    pub(crate) fn new(flags: &IntendedFlags) -> Self {
        let messages: u64 = flags.changes.iter().map(|it| it.uids.len()).sum();
        let are_few = flags.changes.len() <= MAX_EARLY_CHANGES && messages <= MAX_EARLY_MESSAGES;
        Self { changes: if are_few { flags.changes.clone() } else { Vec::new() }, outcome: None }
    }

    /// Sends the changes, once. Keeps an error that concerns the folder alone, so that messages are still copied.
    pub(crate) async fn send(&mut self, target: &mut impl Target, folder: &FolderPath) -> Result<(), Error> {
        let changes = std::mem::take(&mut self.changes);
        if changes.is_empty() {
            return Ok(());
        }
        match target.store_flags(folder, &changes).await {
            Err(error) if error.scope > Scope::Folder => Err(error),
            outcome => {
                self.outcome = Some(outcome);
                Ok(())
            }
        }
    }

    /// Outcome of the changes; `None` if they were not sent.
    pub(crate) fn into_outcome(self) -> Option<Result<(), Error>> {
        self.outcome
    }
}

/// Computes the changes of flags and writes them into the ledger as intended.
pub(crate) async fn intend_flags<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    state: &mut FolderState,
    scan: &Scan,
) -> Result<IntendedFlags, Error> {
    let updates = flag_updates(scan, state);
    let done = |uid, copied| {
        let state = Some(MessageState::Done(copied));
        LedgerRecord::Message { folder: job.source.clone(), uid, state }
    };
    let intents: Vec<LedgerRecord> = updates.iter().map(|it| done(it.uid, it.intent.clone())).collect();
    cx.record(state, &intents).await?;
    let changes = grouped(updates.iter().map(|it| (it.add.clone(), it.remove.clone(), it.target_uid)));
    let records = updates.into_iter().map(|it| done(it.uid, it.record)).collect();
    Ok(IntendedFlags { changes, records })
}

/// Sends the changes unless `outcome` says that they were sent, and records them as done.
pub(crate) async fn send_flags<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    flags: IntendedFlags,
    outcome: Option<Result<(), Error>>,
) -> Result<(), Error> {
    if flags.records.is_empty() {
        return Ok(());
    }
    match outcome {
        Some(outcome) => outcome?,
        None => cx.target.store_flags(&job.target, &flags.changes).await?,
    }
    job.tally.flags_changed += flags.records.len() as u64;
    cx.record(state, &flags.records).await
}
