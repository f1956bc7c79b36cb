//! Copies the planned messages of one folder.
//!
//! Moves and adopts first, then transfers in slices, and decides what follows each refusal.

use std::collections::HashMap;

use mailhaul_mail::{Retry, Scope, Uid, UidSet};

use crate::{
    context::{FAR_ROUND_TRIP, Ports, SyncContext},
    error::{Error, ErrorKind},
    folder::{FolderStatus, MessageInfo},
    folder_sync::{
        confirm::confirm_copies,
        flag_changes::EarlyFlagChanges,
        job::{CopyBounds, FolderJob, deletion_record},
        lost::LostMessage,
        missing::adopt_unexpected,
        moves::follow_moves,
        outcomes::{report_missing, report_skipped, skip_too_large},
        read_back::WRONG_BYTES_REASON,
        refusals::{MAX_RESENDS, RefusalMeaning, may_mean_one_message},
        repair::{may_be_malformed, repair_refused},
        resends::NextProbe,
        unrecorded::adopt_unrecorded,
    },
    ledger_state::{AppendStart, FolderState, LedgerRecord, MessageState},
    message_plan::MessagePlan,
    ports::{Clock, Event, Ledger, Mailbox, Progress, Target},
    transfer::{context::TransferContext, recorder::Transferred, transfer},
};

/// Messages per transfer call. Bounds the memory of the remotes for folders of any size.
const MESSAGES_PER_TRANSFER: usize = 25_000;

/// Messages to send, in this order.
struct Part {
    uids: Vec<Uid>,
    /// Maximum number of messages in one command.
    batch: usize,
    /// Number of times that the target asked for the same messages in another form.
    tries: u32,
}

/// The messages of a folder that are still to be sent. The last batch is sent first.
struct SendQueue<'a> {
    parts: Vec<Part>,
    messages: &'a HashMap<Uid, &'a MessageInfo>,
}

impl SendQueue<'_> {
    /// Puts messages in front of all others.
    fn next(&mut self, uids: Vec<Uid>, batch: usize, tries: u32) {
        if !uids.is_empty() {
            self.parts.push(Part { uids, batch, tries });
        }
    }

    /// Puts one message behind all others, in a command of its own.
    fn last(&mut self, uid: Uid) {
        self.parts.insert(0, Part { uids: vec![uid], batch: 1, tries: 0 });
    }

    /// Divides a refused command. Its halves are sent in the order of the source.
    fn halves(&mut self, uids: &[Uid]) {
        let (first, second) = uids.split_at(uids.len().div_ceil(2));
        self.next(second.to_vec(), second.len(), 0);
        self.next(first.to_vec(), first.len(), 0);
    }
}

/// Moves, adopts and copies the messages of the plan. Early flag changes are sent meanwhile.
pub(crate) async fn copy_messages<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    owned: &UidSet,
    early: &mut EarlyFlagChanges,
) -> Result<(), Error> {
    let status = if let Some(status) = job.target_status.take() {
        status
    } else {
        // Crash safety: reserve before the first look. A message that another pass sends after the look would not be
        // found.
        cx.ledger.reserve_target(&cx.target.owner()).await?;
        cx.target.open_to_write(&job.target).await?
    };
    let append_start = read_append_start(cx, job, &status).await?;
    if state.record.target_validity.is_none() && (status.messages > 0 || !job.moves.is_empty()) {
        // Moved and adopted messages have a target UID, but no intent that would record this.
        let (folder, uid_validity) = (job.source.clone(), status.uid_validity);
        cx.record(state, &[LedgerRecord::TargetValidity { folder, uid_validity }]).await?;
    }
    let bounds = CopyBounds { append_start, owned };
    follow_moves(cx, job, state, plan, bounds).await?;
    job.note_append_start(append_start);
    if status.messages > 0 {
        adopt_unrecorded(cx, job, state, plan, bounds).await?;
    }
    skip_too_large(cx, job, plan);
    recall_skipped(cx, job, state, plan);
    let messages: HashMap<Uid, &MessageInfo> = plan.copy.iter().map(|it| (it.uid, it)).collect();
    cx.progress.event(Event::Folder {
        folder: &job.source,
        reason: &job.reason,
        messages: plan.copy.len() as u64,
        bytes: plan.copy.iter().map(|it| it.size).sum(),
    });
    let is_far = cx.target.round_trip().is_some_and(|it| it >= FAR_ROUND_TRIP);
    let batch = if is_far { MAX_MESSAGES_PER_COMMAND_FAR } else { MAX_MESSAGES_PER_COMMAND };
    let mut queue = SendQueue { parts: Vec::new(), messages: &messages };
    let deferred = job.resends.waiting();
    for slice in plan.copy.chunks(MESSAGES_PER_TRANSFER).rev() {
        let uids = slice.iter().map(|it| it.uid);
        let uids = uids.filter(|uid| !job.refused.contains_key(uid) && !deferred.contains(*uid));
        queue.next(uids.collect(), batch, 0);
    }
    send_all(cx, job, state, &mut queue, bounds, early).await?;
    while !job.refused.is_empty() {
        let repaired = Box::pin(repair_refused(cx, job, state, &messages, bounds)).await?;
        let lost = confirm_copies(cx, job, state, bounds, &repaired, &[]).await?;
        skip_lost(cx, job, state, &messages, lost).await?;
    }
    Ok(())
}

/// Reads from the ledger why the last pass skipped messages.
///
/// Messages that it sent and did not find are tried after all others. Each pass begins with another one of them.
fn recall_skipped<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    plan: &MessagePlan,
) {
    let (mut skipped, mut lost) = (UidSet::new(), Vec::new());
    for uid in plan.copy.iter().map(|message| message.uid) {
        let Some(MessageState::Skipped(words)) = state.messages.get(&uid) else { continue };
        skipped.insert(uid);
        if words == WRONG_BYTES_REASON {
            job.mistaken.insert(uid);
        } else if LostMessage::is_reason(words) {
            lost.push(LostMessage { uid, words: words.clone() });
        }
    }
    job.refusals.skipped_before(&skipped);
    job.resends.recall(lost, cx.clock.now());
}

async fn send_all<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    queue: &mut SendQueue<'_>,
    bounds: CopyBounds<'_>,
    early: &mut EarlyFlagChanges,
) -> Result<(), Error> {
    let CopyBounds { append_start, owned } = bounds;
    loop {
        if queue.parts.is_empty() {
            next_probe(cx, job, queue);
        }
        let Some(part) = queue.parts.pop() else { return Ok(()) };
        let group: Vec<&MessageInfo> =
            part.uids.iter().filter_map(|uid| queue.messages.get(uid).copied()).collect();
        if group.is_empty() {
            continue;
        }
        let context = TransferContext {
            clock: cx.clock,
            ledger: cx.ledger,
            progress: cx.progress,
            budget: cx.budget,
            stop: cx.stop,
            limits: cx.limits,
            target_folder: &job.target,
            append_start,
            habits: cx.target.habits(),
            arrivals: cx.options.arrivals.as_ref(),
            batch: part.batch,
        };
        let (mut done, result) = transfer(cx.source, cx.target, &context, state, &group, early).await;
        job.tally.copied += done.acknowledged.len() as u64;
        job.tally.bytes += done.acknowledged.iter().filter_map(|it| it.bytes).sum::<u64>();
        if !done.acknowledged.is_empty() {
            job.refusals.note_accepted();
        }
        let answered = done.answered();
        let is_probe = job.resends.end_probe();
        let lost =
            if result.is_ok() { confirm_sent(cx, job, state, bounds, &done).await? } else { Vec::new() };
        let is_stored = is_probe && lost.is_empty() && !done.acknowledged.is_empty();
        let any_lost = !lost.is_empty();
        defer(cx, job, state, queue.messages, lost, is_probe).await?;
        let unsent = part.uids.iter().copied().filter(|uid| !answered.contains(uid));
        queue.next(unsent.collect(), part.batch, part.tries);
        if is_stored {
            let mut uids = job.resends.release();
            // The target may have stored them late.
            let found = adopt_unexpected(cx, job, state, owned, append_start.uid_next, &uids).await?;
            uids.retain(|uid| !found.contains(*uid));
            queue.next(uids, 1, 0);
        } else if any_lost {
            next_probe(cx, job, queue);
        }
        let refused = std::mem::take(&mut done.refused);
        let wider = decide_refusals(cx, job, state, queue, &part, refused);
        if result.is_err() {
            // A server may refuse more than a message, and disconnect: the refusal counts.
            return wider.and(result);
        }
        report_all_missing(cx, job, state, queue.messages, done).await?;
        wider?;
        if cx.stop.is_cancelled() {
            return Err(Error::interrupted());
        }
        if answered.is_empty() {
            return Err(Error::session("the target ended the transfer without an answer"));
        }
    }
}

/// Confirms the copies of one transfer. Returns the messages that the target accepted and does not have.
///
/// A server that refuses more than a message gets no further question: the next pass compares.
async fn confirm_sent<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    bounds: CopyBounds<'_>,
    done: &Transferred,
) -> Result<Vec<LostMessage>, Error> {
    let is_local = cx.target.habits().is_local;
    let is_open = |error: &Error| error.scope <= Scope::Message || !is_local && may_mean_one_message(error);
    if !done.refused.iter().all(|(_, error)| is_open(error)) {
        return Ok(Vec::new());
    }
    let refused: Vec<Uid> = done.refused.iter().flat_map(|(uids, _)| uids.clone()).collect();
    confirm_copies(cx, job, state, bounds, &done.acknowledged, &refused).await
}

/// Puts one deferred message in front of all others, or skips them all if the target lost too many.
fn next_probe<M: Ports>(cx: &SyncContext<'_, M>, job: &mut FolderJob, queue: &mut SendQueue<'_>) {
    match job.resends.next_probe() {
        NextProbe::None => {}
        NextProbe::Send(uid) => queue.next(vec![uid], 1, 0),
        NextProbe::GiveUp(lost) => {
            for LostMessage { uid, words } in lost {
                skip_refused(cx, job, queue.messages, uid, words);
            }
        }
    }
}

/// Decides what follows each refusal. Returns an error that concerns more than a message.
fn decide_refusals<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    queue: &mut SendQueue<'_>,
    part: &Part,
    refused: Vec<(Vec<Uid>, Error)>,
) -> Result<(), Error> {
    let (mut wider, is_local) = (Ok(()), cx.target.habits().is_local);
    let may_mean_one = |error: &Error| !is_local && may_mean_one_message(error);
    let is_stored = |uid: &Uid| matches!(state.messages.get(uid), Some(MessageState::Done(_)));
    let is_doubtful = |(uids, error): &(Vec<Uid>, Error)| {
        may_mean_one(error) && uids.iter().filter(|uid| !is_stored(uid)).count() == 1
    };
    // These commands were sent together. Only a resend shows if the server accepts other messages.
    let first_doubt = refused.iter().position(is_doubtful);
    // Each is put in front of the others, so the first one goes last.
    for (place, (mut uids, error)) in refused.into_iter().enumerate().rev() {
        if error.scope <= Scope::Message && uids.iter().all(is_stored) {
            continue;
        }
        let is_of_messages = !uids.is_empty();
        uids.retain(|uid| !is_stored(uid));
        let is_again = error.retry == Retry::Now && part.tries < MAX_RESENDS;
        match uids.as_slice() {
            _ if error.scope <= Scope::Message && is_again => queue.next(uids, part.batch, part.tries + 1),
            [_] if may_mean_one(&error) && first_doubt != Some(place) && error.kind != ErrorKind::Busy => {
                queue.next(uids, part.batch, part.tries);
            }
            [uid] if may_mean_one(&error) => {
                match job.refusals.doubt(*uid, !queue.parts.is_empty(), error.kind) {
                    RefusalMeaning::TryOthers => queue.last(*uid),
                    RefusalMeaning::Refused => skip_refused(cx, job, queue.messages, *uid, error.message),
                    RefusalMeaning::Believed => wider = Err(error),
                }
            }
            [_, _, ..] if error.scope <= Scope::Message || may_mean_one(&error) => {
                queue.halves(&uids);
            }
            [uid] if error.scope <= Scope::Message => {
                if let Some(words) = job.refusals.too_many_alike(&error.message) {
                    let alike = Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, words);
                    return Err(alike);
                }
                if may_be_malformed(&error) {
                    job.refused.insert(*uid, error.message);
                } else {
                    skip_refused(cx, job, queue.messages, *uid, error.message);
                }
            }
            // The target stored the message although it refused it.
            [] if is_of_messages && may_mean_one(&error) => {}
            _ => wider = Err(error),
        }
    }
    wider
}

fn skip_refused<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &mut FolderJob,
    messages: &HashMap<Uid, &MessageInfo>,
    uid: Uid,
    words: String,
) {
    if let Some(message) = messages.get(&uid) {
        report_skipped(cx, job, message, words);
    }
}

async fn report_all_missing<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    messages: &HashMap<Uid, &MessageInfo>,
    done: Transferred,
) -> Result<(), Error> {
    let records: Vec<LedgerRecord> =
        done.missing.iter().map(|(uid, _)| deletion_record(&job.source, *uid)).collect();
    cx.record(state, &records).await?;
    for (uid, missing) in done.missing {
        if let Some(message) = messages.get(&uid) {
            report_missing(cx, job, message, missing);
        }
    }
    Ok(())
}

/// Keeps messages that the target acknowledged and does not have for another try. A message that is lost twice is
/// skipped.
async fn defer<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    messages: &HashMap<Uid, &MessageInfo>,
    lost: Vec<LostMessage>,
    is_probe: bool,
) -> Result<(), Error> {
    let (again, twice) = job.resends.divide(lost);
    let records: Vec<LedgerRecord> =
        again.iter().map(|lost| deletion_record(&job.source, lost.uid)).collect();
    cx.record(state, &records).await?;
    job.tally.copied = job.tally.copied.saturating_sub(again.len() as u64);
    job.resends.add(again, is_probe && !twice.is_empty());
    skip_lost(cx, job, state, messages, twice).await
}

async fn skip_lost<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    messages: &HashMap<Uid, &MessageInfo>,
    lost: Vec<LostMessage>,
) -> Result<(), Error> {
    let records: Vec<LedgerRecord> = lost.iter().map(|lost| deletion_record(&job.source, lost.uid)).collect();
    cx.record(state, &records).await?;
    job.tally.copied = job.tally.copied.saturating_sub(lost.len() as u64);
    for LostMessage { uid, words } in lost {
        skip_refused(cx, job, messages, uid, words);
    }
    Ok(())
}

/// Maximum number of messages in one command, if the target takes several.
pub(crate) const MAX_MESSAGES_PER_COMMAND: usize = 100;

/// The same for a target that is far away: each command waits for the answer to the one before.
pub(crate) const MAX_MESSAGES_PER_COMMAND_FAR: usize = 1000;

pub(crate) async fn read_append_start<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    status: &FolderStatus,
) -> Result<AppendStart, Error> {
    let uid_next = match status.uid_next {
        Some(uid_next) => uid_next,
        // Quirk: Courier returns no UIDNEXT. It is one above the greatest UID.
        None => cx
            .target
            .scan(&job.target, None)
            .await?
            .messages
            .last()
            .map_or(Some(Uid::FIRST), |it| Uid::new(it.uid.get().saturating_add(1)))
            .unwrap_or(Uid::FIRST),
    };
    Ok(AppendStart { uid_validity: status.uid_validity, uid_next })
}
