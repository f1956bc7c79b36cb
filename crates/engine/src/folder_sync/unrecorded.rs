//! Messages of the target folder that the ledger does not know, and that may be copies.

use mailhaul_mail::{Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::{
        adopt::adopt,
        job::{CopyBounds, FolderJob},
        rewritten::{UNCLEAR_REASON, adopt_rewritten},
    },
    ledger_state::{FolderState, MessageState},
    matching::on_target::SearchRange,
    message_plan::MessagePlan,
    ports::Ledger,
};

/// Adopts messages that the target folder holds without a record.
///
/// These are all messages of a folder that is new to the ledger, unknown messages that an earlier pass saw, and
/// messages that arrived since the folder was last settled, because an older ledger was restored.
pub(crate) async fn adopt_unrecorded<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    bounds: CopyBounds<'_>,
) -> Result<(), Error> {
    let CopyBounds { append_start, owned } = bounds;
    let Some(cursor) = state.record.cursor else {
        return adopt(cx, job, state, plan, owned, SearchRange::WHOLE_FOLDER, |_| true).await;
    };
    let record = &state.record;
    let next = cursor.status.uid_next.filter(|_| cursor.status.uid_validity == record.uid_validity);
    let skipped: UidSet = state
        .messages
        .iter()
        .filter(|(_, it)| matches!(it, MessageState::Skipped(_)))
        .map(|(uid, _)| *uid)
        .collect();
    let is_old = |it: &MessageInfo| next.is_some_and(|next| it.uid < next) && !skipped.contains(it.uid);
    let same_numbers = record.target_validity == Some(append_start.uid_validity);
    let since = record.target_next.filter(|it| same_numbers && *it < append_start.uid_next);
    let has_old = plan.copy.iter().any(is_old);
    let was_unclear = |it: &MessageInfo| matches!(state.messages.get(&it.uid), Some(MessageState::Skipped(why)) if why == UNCLEAR_REASON);
    let any_unclear = plan.copy.iter().any(was_unclear);
    if !has_old && !any_unclear && (since.is_none() || plan.copy.is_empty()) {
        return Ok(());
    }
    if let Some(all) = cx.ledger.folder(&job.source).await? {
        *state = all;
    }
    if has_old {
        adopt(cx, job, state, plan, owned, SearchRange::WHOLE_FOLDER, is_old).await?;
    }
    if let Some(first) = since {
        adopt(cx, job, state, plan, owned, SearchRange::by_bytes(first), |_| true).await?;
    }
    let first = if any_unclear { Some(Uid::FIRST) } else { since };
    if let Some(first) = first {
        Box::pin(adopt_rewritten(cx, job, state, plan, first, owned)).await?;
    }
    Ok(())
}
