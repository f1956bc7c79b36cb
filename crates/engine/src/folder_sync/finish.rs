//! The end of a folder: removals of vanished messages, and the cursor for the next pass.

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::Cursor,
    folder_sync::job::{Work, forgotten},
    ledger_state::{Copied, Record},
    options::Deletions,
    ports::{Ledger, Target},
    removals::proof::with_same_bytes,
    removals::{Toll, Verdict, judge_removals, proved_ours},
    scan::folder_scan::rules_of,
};
use mailhaul_mail::Uid;

/// Deals with what vanished and was not moved, and settles the folder.
pub(crate) async fn finish_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    work: &mut Work,
    toll: Toll,
) -> Result<(), Error> {
    let mut verdict = Verdict::default();
    if !work.vanished.is_empty() {
        // Some may have come up in another folder meanwhile.
        let state = cx.ledger.folder(&work.source).await?;
        work.vanished.retain(|(uid, _)| state.as_ref().is_some_and(|it| it.messages.contains_key(uid)));
        verdict = judge_removals(cx, work, state.as_ref(), toll);
    }
    let mut vanished = std::mem::take(&mut work.vanished);
    vanished.retain(|(uid, _)| verdict.settled.contains(*uid));
    if cx.options.deletions == Deletions::Mirror {
        let ours: Vec<(Uid, Copied)> = vanished.iter().filter(|(_, it)| it.ours).cloned().collect();
        let by_headers = proved_ours(cx, work, &ours).await?;
        let ours = with_same_bytes(cx, work, &ours, by_headers).await?;
        if !ours.is_empty() {
            cx.target.remove_messages(&work.target, &ours).await?;
            work.tally.removed += ours.len();
        }
    }
    let mut records: Vec<Record> = vanished.iter().map(|(uid, _)| forgotten(&work.source, *uid)).collect();
    if let Some(waiting) = verdict.waiting {
        records.push(Record::Waiting { folder: work.source.clone(), waiting });
    } else if let Some(scan) = &work.scan {
        let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let cursor = Cursor {
            status: scan.status,
            skipped: number(work.tally.skipped.len() as u64 + work.unseen),
            excluded: number(work.tally.excluded),
        };
        let rules = rules_of(cx, work);
        let target_next = work.target_next();
        records.push(Record::Settled { folder: work.source.clone(), cursor, rules, target_next });
    }
    if records.is_empty() { Ok(()) } else { cx.ledger.record(&records).await }
}
