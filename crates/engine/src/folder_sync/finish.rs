//! The end of a folder: removals of vanished messages, and the cursor for the next pass.

use mailhaul_mail::Uid;

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::Cursor,
    folder_sync::job::{FolderJob, deletion_record},
    ledger_state::{CopyRecord, LedgerRecord},
    options::DeletionPolicy,
    ports::{Ledger, Target},
    removals::{RemovalDecision, VanishedCopies, judge_removals, proof::with_same_bytes, proved_ours},
    scan::folder_scan::rules_of,
};

/// Handles vanished messages that were not moved, and settles the folder.
pub(crate) async fn finish_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    vanished_copies: VanishedCopies,
) -> Result<(), Error> {
    let mut decision = RemovalDecision::default();
    if !job.vanished.is_empty() {
        // Some may have appeared in another folder in the meantime.
        let state = cx.ledger.folder(&job.source).await?;
        job.vanished.retain(|(uid, _)| state.as_ref().is_some_and(|it| it.messages.contains_key(uid)));
        decision = judge_removals(cx, job, state.as_ref(), vanished_copies);
    }
    let mut vanished = std::mem::take(&mut job.vanished);
    vanished.retain(|(uid, _)| decision.settled.contains(*uid));
    if cx.options.deletions == DeletionPolicy::Mirror {
        let ours: Vec<(Uid, CopyRecord)> = vanished.iter().filter(|(_, it)| it.ours).cloned().collect();
        let by_headers = proved_ours(cx, job, &ours).await?;
        let ours = with_same_bytes(cx, job, &ours, by_headers).await?;
        if !ours.is_empty() {
            cx.target.remove_messages(&job.target, &ours).await?;
            job.tally.removed += ours.len();
        }
    }
    let mut records: Vec<LedgerRecord> =
        vanished.iter().map(|(uid, _)| deletion_record(&job.source, *uid)).collect();
    if let Some(waiting) = decision.waiting {
        records.push(LedgerRecord::Waiting { folder: job.source.clone(), waiting });
    } else if let Some(scan) = &job.scan {
        let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let cursor = Cursor {
            status: scan.status,
            skipped: number(job.tally.skipped.len() as u64 + job.unseen),
            excluded: number(job.tally.excluded),
        };
        let rules = rules_of(cx, job);
        let target_next = job.target_next();
        records.push(LedgerRecord::Settled { folder: job.source.clone(), cursor, rules, target_next });
    }
    if records.is_empty() { Ok(()) } else { cx.ledger.record(&records).await }
}
