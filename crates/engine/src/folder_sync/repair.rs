//! Messages that the target refuses: edited as far as the operator allows, and sent once more, each alone.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use mailhaul_mail::{
    Digests, Fingerprint, Flags, Retry, Scope, Sha256, Uid, UidSet, UidValidity,
    repair::{needed, repair},
};

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind},
    folder::MessageInfo,
    folder_sync::{
        fetch_whole::{FetchedMessage, MAX_REPAIRABLE_SIZE, fetch_whole},
        job::{CopyBounds, FolderJob, deletion_record},
        outcomes::{report_missing, report_repaired, report_skipped},
        quiet::wait_until_quiet,
        refusals::MAX_RESENDS,
    },
    ledger_state::{AppendStart, FolderState, LedgerRecord, MessageIdentity, MessageState, RepairRecord},
    matching::on_target::owned_uids,
    options::RepairRules,
    ports::{Clock, Event, Ledger, Mailbox, Progress, Source, Target},
    transfer::{
        pipe::{Ack, AppendPart, Envelope, Feed, acks},
        recorder::Acknowledged,
    },
};

/// True if the target refused a message for its content, as far as its answer shows.
pub(crate) fn may_be_malformed(error: &Error) -> bool {
    error.kind == ErrorKind::Refused && error.retry == Retry::Never && error.scope <= Scope::Message
}

/// Messages of the target folder without a record. One of them may be a copy that a lost ledger knew.
type UnknownMessages = BTreeMap<Uid, (MessageInfo, Fingerprint)>;

/// The repairs of one folder.
struct RepairRun<'a> {
    bounds: CopyBounds<'a>,
    /// Loaded for the first message that needs them.
    unknown: Option<UnknownMessages>,
}

/// A message that was edited, and is to be sent.
struct RepairedMessage<'a> {
    message: &'a MessageInfo,
    record: RepairRecord,
    body: Bytes,
    /// The target's words about the original.
    words: String,
    /// Advice if the target refuses the edited message too.
    hint: String,
}

/// Handles all messages of the folder that the target refused.
///
/// A message that may be edited and then arrives is copied; all others are skipped.
pub(crate) async fn repair_refused<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    messages: &HashMap<Uid, &MessageInfo>,
    bounds: CopyBounds<'_>,
) -> Result<Vec<Acknowledged>, Error> {
    let mut run = RepairRun { bounds, unknown: None };
    let mut acknowledged = Vec::new();
    while let Some((uid, words)) = job.refused.first_key_value().map(|(uid, it)| (*uid, it.clone())) {
        if cx.stop.is_cancelled() {
            return Err(Error::interrupted());
        }
        if let Some(message) = messages.get(&uid) {
            acknowledged.extend(Box::pin(repair_message(cx, job, state, &mut run, message, words)).await?);
        }
        job.refused.remove(&uid);
    }
    Ok(acknowledged)
}

async fn repair_message<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    run: &mut RepairRun<'_>,
    message: &MessageInfo,
    words: String,
) -> Result<Option<Acknowledged>, Error> {
    let _turn = cx.budget.whole().await;
    let Some(repaired) = edit(cx, job, message, words).await? else { return Ok(None) };
    if adopt_repaired(cx, job, state, run, &repaired).await? {
        return Ok(None);
    }
    send_repaired(cx, job, state, run.bounds.append_start, repaired).await
}

/// Reads the message and edits it; skips it and returns `None` if that is impossible or not permitted.
async fn edit<'a, M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    message: &'a MessageInfo,
    words: String,
) -> Result<Option<RepairedMessage<'a>>, Error> {
    let rules = &cx.options.repairs;
    let original = match Box::pin(fetch_whole(cx, job, message)).await? {
        FetchedMessage::Whole(octets) => octets,
        FetchedMessage::Missing(missing) => {
            report_missing(cx, job, message, missing);
            return Ok(None);
        }
        FetchedMessage::TooLarge if rules.allowed.is_empty() => {
            report_skipped(cx, job, message, words);
            return Ok(None);
        }
        FetchedMessage::TooLarge => {
            let reason = format!("{words}; larger than the limit for repairs ({MAX_REPAIRABLE_SIZE} bytes)");
            report_skipped(cx, job, message, reason);
            return Ok(None);
        }
    };
    let hint = advice(&original, rules);
    let Some(repaired) = repair(&original, &rules.allowed, rules.longest_line) else {
        report_skipped(cx, job, message, words + &hint);
        return Ok(None);
    };
    let record = RepairRecord {
        original: MessageIdentity::from_bytes(&original),
        copy: MessageIdentity::from_bytes(&repaired.octets),
        sha256: Sha256::of(&original),
        edits: repaired.words(),
        subject: subject_of(cx, job, message.uid).await?,
    };
    Ok(Some(RepairedMessage { message, record, body: repaired.octets.into(), words, hint }))
}

/// Adopts the edited message if the target has it already. Returns true if it has.
async fn adopt_repaired<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    run: &mut RepairRun<'_>,
    repaired: &RepairedMessage<'_>,
) -> Result<bool, Error> {
    let RepairedMessage { message, record, .. } = repaired;
    let Some(first) = first_unrecorded(state, run.bounds.append_start) else { return Ok(false) };
    let found = Box::pin(find_unknown(cx, job, state, run, record, first)).await?;
    let Some(found) = found else { return Ok(false) };
    // Crash safety: a flag that only the target has was set there by the user, and stays.
    let flags = found.flags.filtered(|name| message.flags.contains(name));
    let copied = record.copied(Some(found.uid), flags, false);
    cx.record(state, &[outcome(job, message.uid, MessageState::Done(copied))]).await?;
    job.tally.already += 1;
    report_repaired(cx, job, message.uid, record);
    Ok(true)
}

/// Sends the edited message, and records the outcome.
async fn send_repaired<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    append_start: AppendStart,
    repaired: RepairedMessage<'_>,
) -> Result<Option<Acknowledged>, Error> {
    let RepairedMessage { message, record: edited, body, words, hint } = repaired;
    let uids = [message.uid].into_iter().collect();
    let intent = LedgerRecord::Intended { folder: job.source.clone(), append_start, uids };
    let form = outcome(job, message.uid, MessageState::Repairing(Box::new(edited.clone())));
    cx.record(state, &[intent, form]).await?;
    let bytes = body.len() as u64;
    let (rules, date) = (cx.options.arrivals.as_ref(), message.internal_date);
    let arrival = rules.and_then(|rules| rules.arrival(&body, date, cx.clock.now()));
    let (answer, result) = Box::pin(send_with_retries(cx, job, message, body)).await?;
    let mut acknowledged = None;
    match answer {
        Ok(Appended { place, is_bare }) => {
            let target_uid = place.filter(|it| it.0 == append_start.uid_validity).map(|it| it.1);
            // Flags that the target did not accept with the message are set with the other flags of the folder.
            let flags = if is_bare { Flags::new() } else { message.flags.clone() };
            acknowledged = Some(Acknowledged {
                uid: message.uid,
                target_uid,
                bytes: Some(bytes),
                size: bytes,
                // The original is not what was sent: the copy is not compared with it.
                fingerprint: None,
                digests: None,
                flags: flags.clone(),
                date: message.internal_date,
            });
            let copied = edited.copied(target_uid, flags, true);
            let done = outcome(job, message.uid, MessageState::Done(copied));
            let folder = job.source.clone();
            let arrived = arrival.map(|it| LedgerRecord::Arrived { folder, arrivals: vec![it] });
            cx.record(state, &[done].into_iter().chain(arrived).collect::<Vec<_>>()).await?;
            job.tally.copied += 1;
            job.tally.bytes += message.size;
            let (folder, bytes) = (&job.source, message.size);
            cx.progress.event(Event::Arrived { folder, messages: 1, bytes });
            report_repaired(cx, job, message.uid, &edited);
        }
        Err(error) => {
            cx.record(state, &[deletion_record(&job.source, message.uid)]).await?;
            if error.scope > Scope::Message && !job.refusals.may_be_of_one(&error) {
                return Err(error);
            }
            let again = format!("edited ({}), it was refused again", edited.edits);
            let reason = format!("{words}; {again}: {}{hint}", error.message);
            report_skipped(cx, job, message, reason);
        }
    }
    result.map(|()| acknowledged)
}

async fn subject_of<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    uid: Uid,
) -> Result<Option<String>, Error> {
    match cx.source.headings(&job.source, &[uid].into_iter().collect()).await {
        Ok(headings) => Ok(headings.into_iter().next().and_then(|(_, heading)| heading.subject)),
        // Without a subject, the report is still complete.
        Err(error) if error.scope <= Scope::Folder => Ok(None),
        Err(error) => Err(error),
    }
}

/// Searches among messages of the target without a record, from this UID on.
async fn find_unknown<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    run: &mut RepairRun<'_>,
    edited: &RepairRecord,
    first: Uid,
) -> Result<Option<MessageInfo>, Error> {
    let unknown = match &mut run.unknown {
        Some(unknown) => unknown,
        None => run.unknown.insert(load_unknown(cx, job, state, run.bounds.owned, first).await?),
    };
    let alike = unknown.values().filter(|(_, it)| *it == edited.copy.fingerprint);
    let alike: UidSet = alike.map(|(it, _)| it.uid).collect();
    if alike.is_empty() {
        return Ok(None);
    }
    let read: Vec<(Uid, Digests)> = cx.target.digests(&job.target, &alike).await?;
    let same = read.into_iter().find(|(_, digests)| digests.same_message(&edited.copy.digests));
    Ok(same.and_then(|(uid, _)| unknown.remove(&uid)).map(|(found, _)| found))
}

async fn load_unknown<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    owned: &UidSet,
    first: Uid,
) -> Result<UnknownMessages, Error> {
    if !job.has_waited {
        wait_until_quiet(cx, &job.target).await?;
        job.has_waited = true;
    }
    // Messages that arrived in this pass are in the ledger alone.
    let all = cx.ledger.folder(&job.source).await?;
    let owned = owned_uids(all.as_ref().unwrap_or(state), owned);
    let mut there = cx.target.scan(&job.target, None).await?.messages;
    there.retain(|it| it.uid >= first && !owned.contains(it.uid));
    if there.is_empty() {
        return Ok(UnknownMessages::new());
    }
    let uids: UidSet = there.iter().map(|it| it.uid).collect();
    let fingerprints: HashMap<Uid, _> =
        cx.target.fingerprints(&job.target, &uids).await?.into_iter().collect();
    let unknown = |it: MessageInfo| Some((it.uid, (it.clone(), *fingerprints.get(&it.uid)?)));
    Ok(there.into_iter().filter_map(unknown).collect())
}

/// Sends the message, and again if the target asks for another form.
///
/// Returns the answer, and the state of the connection after it. An error means that the outcome is unknown.
async fn send_with_retries<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    message: &MessageInfo,
    octets: Bytes,
) -> Result<(Result<Appended, Error>, Result<(), Error>), Error> {
    let mut tries = 0;
    loop {
        let (answer, result) = send_once(cx, job, message, octets.clone()).await?;
        let is_again = |error: &Error| error.scope <= Scope::Message && error.retry == Retry::Now;
        if !(answer.as_ref().is_err_and(is_again) && result.is_ok() && tries < MAX_RESENDS) {
            return Ok((answer, result));
        }
        tries += 1;
    }
}

async fn send_once<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    message: &MessageInfo,
    octets: Bytes,
) -> Result<(Result<Appended, Error>, Result<(), Error>), Error> {
    let envelope =
        Envelope { uid: message.uid, flags: message.flags.clone(), internal_date: message.internal_date };
    let (acks, mut answers) = acks();
    let feed = SingleMessage(Some(AppendPart::Message(envelope, octets)));
    let result = cx.target.append(&job.target, 1, feed, acks).await;
    let Some(Ack { result: answer, is_bare, .. }) = answers.next().await else {
        return result.and_then(|()| Err(Error::session("the target gave no answer")));
    };
    let arrived = answer.map(|told| {
        let place = told.and_then(|it| Some((it.uid_validity, it.uids.iter().next()?)));
        Appended { place, is_bare }
    });
    Ok((arrived, result))
}

/// Returns the first UID of messages whose records the ledger may have lost.
///
/// In a folder without a cursor, all messages count. Else those that arrived after the folder was last settled: an
/// older ledger may have been restored.
fn first_unrecorded(state: &FolderState, append_start: AppendStart) -> Option<Uid> {
    let record = &state.record;
    if record.cursor.is_none() {
        return Some(Uid::FIRST);
    }
    let same_numbers = record.target_validity == Some(append_start.uid_validity);
    record.target_next.filter(|it| same_numbers && *it < append_start.uid_next)
}

/// The target accepted the message.
struct Appended {
    /// UIDVALIDITY and UID, if the target returned them.
    place: Option<(UidValidity, Uid)>,
    /// True if it was stored without its flags.
    is_bare: bool,
}

fn outcome(job: &FolderJob, uid: Uid, state: MessageState) -> LedgerRecord {
    LedgerRecord::Message { folder: job.source.clone(), uid, state: Some(state) }
}

/// Names forbidden repairs that would change something, as text to append to the server's words.
fn advice(original: &[u8], rules: &RepairRules) -> String {
    let others = needed(original, rules.longest_line).without(&rules.allowed);
    if others.is_empty() {
        String::new()
    } else {
        format!("; {} {others} may make it acceptable", rules.option)
    }
}

struct SingleMessage(Option<AppendPart>);

impl Feed for SingleMessage {
    async fn next(&mut self) -> Result<Option<AppendPart>, Error> {
        Ok(self.0.take())
    }

    fn is_ready(&self) -> bool {
        true
    }
}
