//! Outcomes of single messages: recorded in the job, and reported as progress.

use std::collections::HashMap;

use mailhaul_mail::{Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::job::FolderJob,
    ledger_state::RepairRecord,
    message_plan::MessagePlan,
    ports::{Event, Missing, Progress, Source, Target},
    report::Heading,
    report::RepairedItem,
};

/// Skips messages that the target would refuse for their size, before they are read.
///
/// The source's size may be an estimate. A message up to a quarter above the limit is read, and its real size decides.
pub(crate) fn skip_too_large<M: Ports>(cx: &SyncContext<'_, M>, job: &mut FolderJob, plan: &mut MessagePlan) {
    let Some(limit) = cx.target.largest(&job.target) else { return };
    let (copy, too_large) =
        std::mem::take(&mut plan.copy).into_iter().partition(|it| it.size <= limit.saturating_add(limit / 4));
    plan.copy = copy;
    let too_large: Vec<MessageInfo> = too_large;
    for message in too_large {
        let reason = format!(
            "the source states a size of {} bytes, and the target accepts at most {limit} bytes",
            message.size
        );
        report_skipped(cx, job, &message, reason);
    }
}

/// Counts a message that the source did not deliver as gone, or skips it with the server's words.
pub(crate) fn report_missing<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &mut FolderJob,
    message: &MessageInfo,
    missing: Missing,
) {
    match missing {
        Missing::Gone => {
            job.gone.insert(message.uid);
            job.tally.seen = job.tally.seen.saturating_sub(1);
        }
        Missing::Withheld(words) => report_skipped(cx, job, message, words),
    }
}

pub(crate) fn report_skipped<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &mut FolderJob,
    message: &MessageInfo,
    reason: String,
) {
    cx.progress.event(Event::Skipped { folder: &job.source, uid: message.uid, reason: &reason });
    job.skip(message, reason);
}

/// Adds subjects, authors and dates of skipped messages to the report, so that users recognise them.
pub(crate) async fn add_headings<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
) -> Result<(), Error> {
    let uids: UidSet = job.tally.skipped.iter().map(|it| it.uid).collect();
    if uids.is_empty() {
        return Ok(());
    }
    let mut headings: HashMap<Uid, Heading> = match cx.source.headings(&job.source, &uids).await {
        Ok(headings) => headings.into_iter().collect(),
        // Without them, the report is still complete.
        Err(error) if error.scope <= Scope::Folder => HashMap::new(),
        Err(error) => return Err(error),
    };
    for item in &mut job.tally.skipped {
        let Heading { subject, sender, sent } = headings.remove(&item.uid).unwrap_or_default();
        (item.subject, item.sender, item.sent) = (subject, sender, sent);
    }
    Ok(())
}

pub(crate) fn report_repaired<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &mut FolderJob,
    uid: Uid,
    edited: &RepairRecord,
) {
    let item = RepairedItem::new(uid, edited);
    cx.progress.event(Event::Repaired { folder: &job.source, item: &item });
    job.name_repaired(item);
}
