//! Copies that an older ledger does not know, on a target that rewrites messages.
//!
//! Bytes do not identify them. Earlier copies show how the target rewrites.

use std::collections::{BTreeMap, HashMap, HashSet};

use mailhaul_mail::{Digests, Fingerprint, InternalDate, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::{
        adopt::{adopt, record_adopted},
        job::FolderJob,
        outcomes::report_skipped,
    },
    ledger_state::{CopyRecord, FolderState},
    matching::{
        on_target::{MatchedMessage, SearchRange, owned_uids},
        pairing::Proof,
    },
    message_plan::MessagePlan,
    ports::{Ledger, Mailbox, Target},
};

/// Copies that show how the target treats messages.
const SAMPLE: usize = 5;
/// Reason for a skipped message with a possible copy on the target. A later pass recognises it.
pub(crate) const UNCLEAR_REASON: &str = "the target rewrites messages and holds some of the same date of arrival that the ledger does \
                                  not know: a copy of this message may be among them";

/// The target's treatment of stored messages, as copies show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Treatment {
    Unknown,
    /// Every copy has the bytes that were sent.
    Kept,
    NewHeaders,
    NewTexts,
}

impl Treatment {
    fn new(sample: &[(Uid, CopyRecord)], read: &HashMap<Uid, Digests>) -> Self {
        let of_copy = |(uid, copied): &(Uid, CopyRecord)| {
            let (sent, stored) = copied.digests.zip(read.get(uid))?;
            Some(match *stored {
                Digests { text, .. } if text != sent.text => Self::NewTexts,
                Digests { whole, .. } if whole != sent.whole => Self::NewHeaders,
                _ => Self::Kept,
            })
        };
        sample.iter().filter_map(of_copy).max().unwrap_or(Self::Unknown)
    }
}

/// A message by the data that remain after its text was rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HeaderTrace {
    uid: Uid,
    fingerprint: Fingerprint,
    arrived: Option<i64>,
}

/// Result of a comparison of traces.
#[derive(Debug, Default, PartialEq, Eq)]
struct TracedPairs {
    pairs: Vec<(Uid, Uid)>,
    /// Messages of the left side that may or may not be on the right side.
    unclear: Vec<Uid>,
}

/// Pairs by headers and date of arrival, in the order of both sides. Pure.
///
/// An additional message on the right side is another copy of the same message.
fn pair_by_trace(left: &[HeaderTrace], right: &[HeaderTrace], redates: bool) -> TracedPairs {
    let key = |it: &HeaderTrace| (it.fingerprint, it.arrived.filter(|_| !redates));
    let mut groups: BTreeMap<_, (Vec<Uid>, Vec<Uid>)> = BTreeMap::new();
    for it in left {
        groups.entry(key(it)).or_default().0.push(it.uid);
    }
    for it in right {
        if let Some(group) = groups.get_mut(&key(it)) {
            group.1.push(it.uid);
        }
    }
    let mut traced = TracedPairs::default();
    for (ours, theirs) in groups.into_values().filter(|(_, theirs)| !theirs.is_empty()) {
        if ours.len() <= theirs.len() {
            traced.pairs.extend(ours.into_iter().zip(theirs));
        } else {
            traced.unclear.extend(ours);
        }
    }
    traced
}

/// Returns the newest copies of this migration except these, by their UIDs on the target.
fn sample(state: &FolderState, others: &UidSet) -> Vec<(Uid, CopyRecord)> {
    let mut known: Vec<(Uid, CopyRecord)> = state
        .done()
        .filter(|(_, it)| it.ours && it.digests.is_some())
        .filter_map(|(_, it)| Some((it.target_uid.filter(|uid| !others.contains(*uid))?, it.as_copy())))
        .collect();
    known.sort_by_key(|(uid, _)| std::cmp::Reverse(*uid));
    known.truncate(SAMPLE);
    known
}

fn date(message: &MessageInfo) -> Option<i64> {
    message.internal_date.map(InternalDate::unix_seconds)
}

/// Adopts messages that arrived on the target from this UID on and may be rewritten copies.
///
/// Unclear messages are skipped and named, so that none is copied twice.
pub(crate) async fn adopt_rewritten<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    first: Uid,
    owned: &UidSet,
) -> Result<(), Error> {
    if plan.copy.is_empty() {
        return Ok(());
    }
    let known = sample(state, &UidSet::new());
    let lowest = known.iter().map(|(uid, _)| *uid).fold(first, Uid::min);
    let shown = cx.target.stored(&job.target, lowest, None, &UidSet::new()).await?.messages;
    let mut strangers = strangers(&shown, first, &owned_uids(state, owned));
    let there: HashMap<Uid, Option<i64>> = shown.iter().map(|it| (it.uid, date(it))).collect();
    let is_redated = |(uid, copied): &(Uid, CopyRecord)| {
        there.get(uid).is_some_and(|it| it.zip(copied.arrived).is_some_and(|(now, sent)| now != sent))
    };
    let redates = !known.is_empty() && known.iter().all(is_redated);
    let dates: HashSet<Option<i64>> = strangers.iter().map(date).collect();
    let may_be_there = |it: &MessageInfo| redates || dates.contains(&date(it));
    if strangers.is_empty() || !plan.copy.iter().any(may_be_there) {
        return Ok(());
    }
    let uids: UidSet = known.iter().map(|(uid, _)| *uid).filter(|uid| there.contains_key(uid)).collect();
    let read = cx.target.digests(&job.target, &uids).await?.into_iter().collect();
    let treatment = Treatment::new(&known, &read);
    if treatment == Treatment::Kept {
        return Ok(());
    }
    let range = SearchRange::just_sent(first, Proof::Digest);
    adopt(cx, job, state, plan, owned, range, |_| true).await?;
    if treatment == Treatment::NewHeaders {
        return Ok(());
    }
    let taken = owned_uids(state, owned);
    strangers.retain(|it| !taken.contains(it.uid));
    adopt_by_trace(cx, job, state, plan, strangers, redates).await
}

/// True if copies other than these show that the target rewrites texts.
pub(crate) async fn are_texts_rewritten<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    others: &UidSet,
) -> Result<bool, Error> {
    let Some(state) = cx.ledger.folder(&job.source).await? else { return Ok(false) };
    let known = sample(&state, others);
    let uids: UidSet = known.iter().map(|(uid, _)| *uid).collect();
    let read = cx.target.digests(&job.target, &uids).await?.into_iter().collect();
    Ok(Treatment::new(&known, &read) == Treatment::NewTexts)
}

async fn adopt_by_trace<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    strangers: Vec<MessageInfo>,
    redates: bool,
) -> Result<(), Error> {
    let (ours, theirs): (HashSet<Option<i64>>, HashSet<Option<i64>>) =
        (plan.copy.iter().map(date).collect(), strangers.iter().map(date).collect());
    let is_among = |it: &&MessageInfo, dates: &HashSet<Option<i64>>| redates || dates.contains(&date(it));
    let left: HashMap<Uid, &MessageInfo> =
        plan.copy.iter().filter(|it| is_among(it, &theirs)).map(|it| (it.uid, it)).collect();
    let right: HashMap<Uid, &MessageInfo> =
        strangers.iter().filter(|it| is_among(it, &ours)).map(|it| (it.uid, it)).collect();
    if left.is_empty() || right.is_empty() {
        return Ok(());
    }
    let headers = cx.source.fingerprints(&job.source, &left.keys().copied().collect()).await?;
    let left = traces(&headers, &left);
    let copies = cx.target.fingerprints(&job.target, &right.keys().copied().collect()).await?;
    let TracedPairs { pairs, unclear } = pair_by_trace(&left, &traces(&copies, &right), redates);
    let headers: HashMap<Uid, Fingerprint> = headers.into_iter().collect();
    let found = pairs.iter().filter_map(|(uid, copy)| {
        let (on_target, fingerprint) = ((*right.get(copy)?).clone(), *headers.get(uid)?);
        Some(MatchedMessage { uid: *uid, on_target, fingerprint, digests: None })
    });
    let found: Vec<MatchedMessage> = found.collect();
    if !found.is_empty() {
        job.tally.remarks.push(format!(
            "{} messages were recognised on the target by headers and dates of arrival: the server rewrites messages, \
             and the ledger does not know these copies",
            found.len()
        ));
    }
    record_adopted(cx, job, state, plan, &found).await?;
    let unclear: UidSet = unclear.into_iter().collect();
    let (skipped, copy) = std::mem::take(&mut plan.copy).into_iter().partition(|it| unclear.contains(it.uid));
    plan.copy = copy;
    let skipped: Vec<MessageInfo> = skipped;
    for message in skipped {
        report_skipped(cx, job, &message, UNCLEAR_REASON.to_owned());
    }
    Ok(())
}

/// Messages from this UID on without a record.
fn strangers(shown: &[MessageInfo], first: Uid, taken: &UidSet) -> Vec<MessageInfo> {
    shown.iter().filter(|it| it.uid >= first && !taken.contains(it.uid)).cloned().collect()
}

/// Sorts by UID.
fn traces(headers: &[(Uid, Fingerprint)], messages: &HashMap<Uid, &MessageInfo>) -> Vec<HeaderTrace> {
    let trace = |(uid, fingerprint): &(Uid, Fingerprint)| {
        let arrived = date(messages.get(uid)?);
        Some(HeaderTrace { uid: *uid, fingerprint: *fingerprint, arrived })
    };
    let mut traces: Vec<HeaderTrace> = headers.iter().filter_map(trace).collect();
    traces.sort_by_key(|it| it.uid);
    traces
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{Digest, Flags};

    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn trace(number: u32, fingerprint: u8, arrived: i64) -> HeaderTrace {
        HeaderTrace {
            uid: uid(number),
            fingerprint: Fingerprint::from_bytes([fingerprint; 16]),
            arrived: Some(arrived),
        }
    }

    #[test]
    fn headers_and_dates_pair_if_none_is_missing() {
        let left = [trace(1, 1, 10), trace(2, 2, 20), trace(3, 3, 30), trace(4, 3, 30), trace(5, 5, 50)];
        let right = [trace(11, 1, 10), trace(12, 1, 10), trace(13, 2, 21), trace(14, 3, 30)];
        let traced = pair_by_trace(&left, &right, false);
        assert_eq!((traced.pairs, traced.unclear), (vec![(uid(1), uid(11))], vec![uid(3), uid(4)]));
        let redated = pair_by_trace(&left[1..2], &right, true);
        assert_eq!(redated.pairs, [(uid(2), uid(13))]);
    }

    #[test]
    fn copies_show_how_the_target_treats_messages() {
        let digests = |whole: u8, text: u8| Digests {
            whole: Digest::from_bytes([whole; 16]),
            text: Digest::from_bytes([text; 16]),
        };
        let copied = CopyRecord {
            target_uid: None,
            flags: Flags::new(),
            pending_flags: None,
            fingerprint: Fingerprint::from_bytes([0; 16]),
            digests: Some(digests(1, 1)),
            size: 1,
            arrived: None,
            ours: true,
            edited: None,
        };
        let treatment = |stored: &[(u32, Digests)]| {
            let sample: Vec<(Uid, CopyRecord)> =
                stored.iter().map(|(number, _)| (uid(*number), copied.clone())).collect();
            Treatment::new(&sample, &stored.iter().map(|(number, it)| (uid(*number), *it)).collect())
        };
        assert_eq!(treatment(&[]), Treatment::Unknown);
        assert_eq!(treatment(&[(1, digests(1, 1))]), Treatment::Kept);
        assert_eq!(treatment(&[(1, digests(1, 1)), (2, digests(9, 1))]), Treatment::NewHeaders);
        assert_eq!(treatment(&[(1, digests(8, 8)), (2, digests(9, 1))]), Treatment::NewTexts);
    }
}
