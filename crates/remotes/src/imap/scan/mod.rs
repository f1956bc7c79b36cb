//! Scans an open folder: all messages, or the changes.
//!
//! Invariant: a message that exists and is not shown never counts as gone.

pub(crate) mod ahead;
pub(crate) mod dates;
pub(crate) mod halving;
pub(crate) mod limited;
pub(crate) mod memory;
pub(crate) mod over_breaks;
pub(crate) mod prefetched;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mailhaul_engine::{Cursor, MessageInfo, Present, UnseenMessage};
use mailhaul_imap::{self as imap, ChangedMailbox, Selected, response::Fetch};
use mailhaul_mail::{Flags, FolderPath, InternalDate, ModSeq, Retry, Scope, Uid, UidSet};

use crate::{
    gmail::labels::Labels,
    imap::scan::halving::{Halves, RefusedSet, is_refusal, listed},
};

/// A larger size is invalid (bytes).
const LARGEST: u64 = 1 << 40;
/// Items of every message.
pub(crate) const SCAN_ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE)";
/// Items of every message on Gmail.
const LABELLED_ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE X-GM-LABELS)";
/// Memory of one scan (bytes): five million messages, or fewer with many keywords.
const MOST_MEMORY: usize = 512 << 20;
/// Answers that are kept before those of the same message are merged.
const MERGED_AT: usize = 100_000;
/// Characters of an invalid UID that are shown.
const SHOWN: usize = 40;
/// Messages of a kind that are named. Of further ones only the number is reported.
const MOST_NAMED: usize = 10;

/// Vanished messages that the number of messages confirms. For more, the UIDs of all messages are
/// requested.
const FEW: u64 = 5;

/// Result of a scan: the messages that were shown, and those that were not.
pub(crate) struct ScanResult {
    pub(crate) messages: Vec<MessageInfo>,
    pub(crate) present: Present,
    pub(crate) unseen: Vec<UnseenMessage>,
    /// Reason why further messages, whose UIDs are unknown, are not shown.
    pub(crate) incomplete: Option<String>,
}

/// State of the folder at the earlier scan.
#[derive(Clone, Copy)]
pub(crate) struct Since {
    modseq: ModSeq,
    messages: u32,
    uid_next: Option<Uid>,
}

impl Since {
    /// Mod-sequence of the earlier scan.
    pub(crate) fn modseq(&self) -> ModSeq {
        self.modseq
    }

    /// `None` if the earlier scan had no mod-sequence.
    pub(crate) fn new(cursor: &Cursor) -> Option<Self> {
        let status = &cursor.status;
        let modseq = status.highest_modseq.filter(|it| it.0 > 0)?;
        Some(Self { modseq, messages: status.messages, uid_next: status.uid_next })
    }

    fn is_new(&self, uid: Uid) -> bool {
        self.uid_next.is_none_or(|next| uid >= next)
    }

    /// UIDs assigned since then.
    fn fresh(&self) -> UidSet {
        self.uid_next.map_or_else(UidSet::new, |next| UidSet::range(next, Uid::LAST))
    }

    /// Number of old messages that are not among `there`; `None` if there are more old messages than
    /// before.
    fn lost(&self, there: &UidSet) -> Option<u64> {
        self.uid_next?;
        u64::from(self.messages).checked_sub(there.without(&self.fresh()).len())
    }
}

/// The messages of the open folder from this UID on.
pub(crate) async fn from(mut selected: Selected<'_>, first: Uid) -> Result<Vec<MessageInfo>, imap::Error> {
    let mut found = ScanAnswers::new(None);
    if selected.data().exists > 0 {
        let last = Uid::new(u32::MAX).unwrap_or(first);
        found.ask(&mut selected, UidSet::range(first, last)).await?;
    }
    // Messages that are not shown would count as lost, and would be sent once more.
    if let Some(RefusedSet { error, .. }) = found.halves.refused.pop() {
        return Err(error.at_least(Scope::Folder));
    }
    found.listed_from(first)
}

/// Scans all messages of the open folder. Messages that the server does not show are requested once more.
///
/// After an error it can be called again, with the folder open on another connection. It then continues.
pub(crate) async fn everything(
    mut selected: Selected<'_>,
    found: &mut ScanAnswers<'_>,
) -> Result<ScanResult, imap::Error> {
    let exists = selected.data().exists;
    if found.phase == Phase::New {
        found.phase = Phase::Asked;
        if exists > 0 {
            found.halves.add(UidSet::all());
        }
    }
    found.ask_for_the_rest(&mut selected).await?;
    // All messages of the beginning must be shown, except those that were expunged meanwhile.
    let least = |selected: &Selected<'_>| u64::from(exists.min(selected.data().exists));
    if found.phase == Phase::Asked && found.lacks(least(&selected)) {
        let mut known = listed(&mut selected).await?;
        let shown = found.whole();
        let mut again = found.uids().without(&shown);
        if known.len() == least(&selected) {
            known.without(&shown).ranges().for_each(|(first, last)| again.insert_range(first, last));
        } else {
            known = UidSet::new();
            if found.shown() < least(&selected) && found.halves.refused.is_empty() {
                again = UidSet::all();
            }
        }
        found.known = known;
        found.phase = Phase::AskedAgain;
        if !again.is_empty() {
            again = again.without(&found.halves.forget_refusals());
            found.halves.add(again);
            found.ask_for_the_rest(&mut selected).await?;
        }
    }
    std::mem::replace(found, ScanAnswers::new(found.labels)).conclude(least(&selected))
}

/// Scans the changes of the open folder (RFC 7162). `None` if new messages are missing, or if two answers
/// contradict each other.
///
/// Invariant: vanished messages are confirmed by a second fact: the number of messages, or their UIDs.
pub(crate) async fn changes(
    mut selected: Selected<'_>,
    since: Since,
    mut found: ScanAnswers<'_>,
) -> Result<Option<ScanResult>, imap::Error> {
    let exists = selected.data().exists;
    let tells_vanished = selected.has_enabled("QRESYNC");
    let mut vanished = UidSet::new();
    if tells_vanished || exists > 0 {
        // Protocol: VANISHED covers the requested UIDs (RFC 7162, section 3.2.6), and `*` may be below them
        // by now.
        let uids = if tells_vanished { until_the_end() } else { UidSet::all() };
        let items = found.items();
        match selected.uid_fetch_changed(&uids, items, since.modseq, |fetch| _ = found.take(&fetch)).await {
            Ok(gone) => vanished = gone,
            Err(error) if is_refusal(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    found.merge();
    if !found.is_sound() {
        return Ok(None);
    }
    let counts = (u64::from(exists), u64::from(selected.data().exists));
    let present = if tells_vanished {
        if !found.adds_up(since, counts, &vanished)
            && !is_confirmed(&mut selected, since, &found, &vanished).await?
        {
            return Ok(None);
        }
        None
    } else {
        let Some(there) = confirmed_presence(&mut selected, since, &found).await? else { return Ok(None) };
        Some(there)
    };
    let (messages, elsewhere, _) = found.sorted();
    let present = if let Some(there) = present {
        Present::These(there.without(&elsewhere))
    } else {
        elsewhere.ranges().for_each(|(first, last)| vanished.insert_range(first, last));
        Present::AllBut(vanished)
    };
    Ok(Some(ScanResult { messages, present, unseen: Vec::new(), incomplete: None }))
}

/// Changes of a folder without labels that was scanned together with others. `None` if the answer is incomplete.
pub(crate) fn changes_of_one(
    mut found: ScanAnswers<'_>,
    since: Since,
    mailbox: ChangedMailbox,
) -> Option<ScanResult> {
    let ChangedMailbox { data, exists, vanished } = mailbox;
    found.merge();
    if !found.is_sound() || !found.adds_up(since, (u64::from(exists), u64::from(data.exists)), &vanished) {
        return None;
    }
    let (messages, ..) = found.sorted();
    let present = Present::AllBut(vanished);
    Some(ScanResult { messages, present, unseen: Vec::new(), incomplete: None })
}

/// True if the UIDs of all existing messages agree with the vanished ones.
async fn is_confirmed(
    selected: &mut Selected<'_>,
    since: Since,
    found: &ScanAnswers<'_>,
    vanished: &UidSet,
) -> Result<bool, imap::Error> {
    let Some(there) = present(selected).await? else { return Ok(false) };
    let lost = since.lost(&there);
    let is_known_lost = lost.is_none_or(|it| it <= vanished.len());
    Ok(found.agrees(since, &there) && is_known_lost && vanished.without(&there).len() == vanished.len())
}

/// The UIDs of all messages, unless a fact contradicts them. If many are missing, SEARCH alone is not
/// enough: some servers answer with sequence numbers, or with a part.
async fn confirmed_presence(
    selected: &mut Selected<'_>,
    since: Since,
    found: &ScanAnswers<'_>,
) -> Result<Option<UidSet>, imap::Error> {
    let Some(there) = present(selected).await?.filter(|it| found.agrees(since, it)) else { return Ok(None) };
    if there.is_empty() || since.lost(&there).is_none_or(|lost| lost <= FEW) {
        return Ok(Some(there));
    }
    match selected.uids_among(&UidSet::all()).await {
        Ok(shown) => Ok((shown == there).then_some(there)),
        Err(error) if is_refusal(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All UIDs as numbers. The greatest number is left out, because the full set is written as `1:*`.
pub(crate) fn until_the_end() -> UidSet {
    UidSet::all().without(&UidSet::range(Uid::LAST, Uid::LAST))
}

/// The UIDs of all messages.
///
/// SEARCH has a short answer, but some servers refuse it, find nothing, or find a part. FETCH counts if
/// SEARCH does not find all messages. `None` if FETCH shows fewer, too.
async fn present(selected: &mut Selected<'_>) -> Result<Option<UidSet>, imap::Error> {
    let exists = selected.data().exists;
    let found = listed(selected).await?;
    if found.len() == u64::from(selected.data().exists) {
        return Ok(Some(found));
    }
    let found = match selected.data().exists {
        0 => UidSet::new(),
        _ => match selected.uids_among(&UidSet::all()).await {
            Err(error) if is_refusal(&error) => return Ok(None),
            other => other?,
        },
    };
    let is_enough = u64::from(exists.min(selected.data().exists)) <= found.len();
    Ok(is_enough.then_some(found))
}

/// Error of a scan that shows fewer messages than the folder has. It must not count as a smaller folder.
pub(crate) fn incomplete(words: &str) -> imap::Error {
    imap::Error {
        scope: Scope::Folder,
        retry: Retry::Never,
        ..imap::Error::session(imap::ErrorKind::Protocol, words)
    }
}

/// Phase of a scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    /// All messages were requested.
    Asked,
    /// The missing messages were requested once more.
    AskedAgain,
}

/// Merged answers to FETCH. A server may answer for one message in several parts.
pub(crate) struct ScanAnswers<'a> {
    told: Vec<MessageAnswer>,
    /// On Gmail: the labels, and the folder of the scan.
    labels: Option<(&'a Labels, &'a FolderPath)>,
    pub(crate) halves: Halves,
    phase: Phase,
    /// The UIDs that the server lists, if their number is right.
    known: UidSet,
    /// Invalid UIDs, by sequence number.
    odd: BTreeMap<u32, String>,
    /// Sequence numbers of messages with the same UID.
    twice: BTreeMap<Uid, BTreeSet<u32>>,
    /// Memory of `told` (bytes), and the number of answers after the last merge.
    memory: usize,
    merged: usize,
    /// Counts the answers. The counter shows the progress of the scan.
    count: Arc<AtomicU64>,
}

/// The merged answers for one message.
struct MessageAnswer {
    uid: Uid,
    sequence: u32,
    flags: Option<Flags>,
    internal_date: Option<InternalDate>,
    size: Option<u64>,
    /// True if the message is taken from this folder and not from another one.
    is_here: Option<bool>,
}

impl MessageAnswer {
    fn is_whole(&self) -> bool {
        self.flags.is_some() && self.is_here.is_some()
    }

    /// Memory of the answer (bytes).
    fn memory(&self) -> usize {
        // Each keyword has its own allocation.
        let keywords = self.flags.iter().flat_map(Flags::keywords).map(|word| word.len() + 32);
        size_of::<Self>() + keywords.sum::<usize>()
    }

    /// True if both answer the scan, for messages with different sequence numbers. Notices of changed flags
    /// have no size.
    fn is_another(&self, other: &Self) -> bool {
        self.sequence != other.sequence && self.size.is_some() && other.size.is_some()
    }
}

impl<'a> ScanAnswers<'a> {
    pub(crate) fn new(labels: Option<(&'a Labels, &'a FolderPath)>) -> Self {
        let (halves, known) = (Halves::default(), UidSet::new());
        let (odd, twice) = (BTreeMap::new(), BTreeMap::new());
        let (told, phase, count) = (Vec::new(), Phase::New, Arc::default());
        Self { told, labels, halves, phase, known, odd, twice, memory: 0, merged: 0, count }
    }

    /// Counts the answers in this counter too.
    pub(crate) fn counted_by(self, count: &Arc<AtomicU64>) -> Self {
        Self { count: Arc::clone(count), ..self }
    }

    /// Items to request.
    fn items(&self) -> &'static str {
        if self.labels.is_some() { LABELLED_ITEMS } else { SCAN_ITEMS }
    }

    async fn ask(&mut self, selected: &mut Selected<'_>, uids: UidSet) -> Result<(), imap::Error> {
        self.halves.add(uids);
        self.ask_for_the_rest(selected).await
    }

    async fn ask_for_the_rest(&mut self, selected: &mut Selected<'_>) -> Result<(), imap::Error> {
        let mut halves = std::mem::take(&mut self.halves);
        let asked = halves.run(selected, self.items(), |fetch| self.take(fetch)).await;
        self.halves = halves;
        self.merge();
        self.is_within_bounds()?;
        asked
    }

    /// Adds an answer. Returns true if it is complete.
    pub(crate) fn take(&mut self, fetch: &Fetch) -> bool {
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(odd) = &fetch.odd_uid {
            self.is_odd(fetch.sequence, odd);
        }
        // An answer without a UID is a notice of changed flags. The next pass sees them.
        let Some(uid) = fetch.uid else { return false };
        let told = MessageAnswer {
            uid,
            sequence: fetch.sequence,
            flags: fetch.flags.clone(),
            internal_date: fetch.internal_date,
            size: fetch.rfc822_size.filter(|it| *it <= LARGEST),
            is_here: match (self.labels, &fetch.gm_labels) {
                (Some((labels, here)), told) => told.as_ref().map(|told| labels.lists(here, told)),
                (None, _) => Some(true),
            },
        };
        let is_whole = told.is_whole() && told.size.is_some();
        if self.memory <= MOST_MEMORY {
            self.memory += told.memory();
            self.told.push(told);
        }
        if self.told.len() > 2 * self.merged + MERGED_AT {
            self.merge();
        }
        is_whole
    }

    fn is_odd(&mut self, sequence: u32, sent: &str) {
        if self.odd.len() < MOST_NAMED {
            self.odd.insert(sequence, sent.chars().take(SHOWN).collect());
        }
    }

    /// Answers beyond the memory limit are dropped, and the scan fails.
    fn is_within_bounds(&self) -> Result<(), imap::Error> {
        if self.memory <= MOST_MEMORY {
            return Ok(());
        }
        let words =
            format!("the keywords of {} messages need more than {} MiB", self.told.len(), MOST_MEMORY >> 20);
        Err(incomplete(&words))
    }

    /// Merges the answers of each message: the last value of each item counts. Of two messages with one UID
    /// the first counts, because servers send that one first.
    fn merge(&mut self) {
        let twice = &mut self.twice;
        self.told.sort_by_key(|it| it.uid);
        self.told.dedup_by(|later, known| {
            if later.uid != known.uid {
                return false;
            }
            if later.is_another(known) {
                if twice.len() < MOST_NAMED || twice.contains_key(&known.uid) {
                    let sequences = twice.entry(known.uid).or_default();
                    let room = MOST_NAMED.saturating_sub(sequences.len());
                    sequences.extend([known.sequence, later.sequence].into_iter().take(room));
                }
                if later.sequence > known.sequence {
                    return true;
                }
            }
            known.sequence = later.sequence;
            known.flags = later.flags.take().or_else(|| known.flags.take());
            known.internal_date = later.internal_date.or(known.internal_date);
            known.size = later.size.or(known.size);
            known.is_here = later.is_here.or(known.is_here);
            true
        });
        self.merged = self.told.len();
        if self.memory <= MOST_MEMORY {
            self.memory = self.told.iter().map(MessageAnswer::memory).sum();
        }
    }

    fn shown(&self) -> u64 {
        self.told.len() as u64
    }

    fn uids(&self) -> UidSet {
        self.told.iter().map(|it| it.uid).collect()
    }

    /// Messages with complete answers.
    fn whole(&self) -> UidSet {
        self.told.iter().filter(|it| it.is_whole()).map(|it| it.uid).collect()
    }

    /// True if the answers are complete for each message.
    fn is_sound(&self) -> bool {
        self.uids() == self.whole() && self.odd.is_empty()
    }

    /// True if few messages vanished, and the number of messages agrees with new and vanished ones.
    ///
    /// `counts` are EXISTS at the beginning and at the end. VANISHED may include messages that were never
    /// known.
    fn adds_up(&self, since: Since, counts: (u64, u64), vanished: &UidSet) -> bool {
        let arrived = self.told.iter().filter(|it| since.is_new(it.uid)).count() as u64;
        let balance = (u64::from(since.messages) + arrived).checked_sub(vanished.len());
        let (least, most) = (counts.0.min(counts.1), counts.0.max(counts.1));
        vanished.len() <= FEW && balance.is_some_and(|it| (least..=most).contains(&it))
    }

    /// True if all shown messages are among `there`, all new messages were shown, and there are no more old
    /// messages than before.
    fn agrees(&self, since: Since, there: &UidSet) -> bool {
        let shown = self.uids();
        let fresh = there.without(&there.without(&since.fresh()));
        shown.without(there).is_empty()
            && fresh.without(&shown).is_empty()
            && (since.uid_next.is_none() || since.lost(there).is_some())
    }

    /// True if fewer than `least` messages were shown, or one of them incompletely.
    fn lacks(&self, least: u64) -> bool {
        self.shown() < least
            || !self.halves.refused.is_empty()
            || !self.told.iter().all(MessageAnswer::is_whole)
    }

    /// The messages from this UID on, without those with incomplete answers.
    pub(crate) fn listed_from(mut self, first: Uid) -> Result<Vec<MessageInfo>, imap::Error> {
        self.merge();
        self.is_within_bounds()?;
        let (mut messages, ..) = self.sorted();
        // Protocol: `*` is the last message, whatever its UID (RFC 9051, section 9, seq-number).
        messages.retain(|message| message.uid >= first);
        Ok(messages)
    }

    /// The messages of this folder, those taken from another folder, and those with incomplete answers.
    fn sorted(self) -> (Vec<MessageInfo>, UidSet, Vec<UnseenMessage>) {
        let mut messages = Vec::with_capacity(self.told.len());
        let (mut elsewhere, mut unseen) = (UidSet::new(), Vec::new());
        for MessageAnswer { uid, flags, internal_date, size, is_here, .. } in self.told {
            match (flags, is_here) {
                (Some(flags), Some(true)) => {
                    messages.push(MessageInfo { uid, flags, internal_date, size: size.unwrap_or(0) });
                }
                (_, Some(false)) => elsewhere.insert(uid),
                (flags, _) => {
                    let what = if flags.is_none() { "flags" } else { "labels" };
                    unseen.push(UnseenMessage { uid, why: format!("the server does not send its {what}") });
                }
            }
        }
        (messages, elsewhere, unseen)
    }

    /// Returns the result, if at least `least` messages exist.
    fn conclude(mut self, least: u64) -> Result<ScanResult, imap::Error> {
        let shown = self.uids();
        let mut hidden: BTreeMap<Uid, String> = BTreeMap::new();
        let refused = std::mem::take(&mut self.halves.refused);
        let known = std::mem::take(&mut self.known);
        for RefusedSet { uids, error } in &refused {
            // In a range that was not requested to its end, only messages that are known to exist are
            // named.
            let named = if uids.len() == 1 { uids.iter().collect() } else { among(&known, uids) };
            hidden.extend(named.into_iter().map(|uid| (uid, error.message.clone())));
        }
        for uid in known.without(&shown).iter() {
            hidden
                .entry(uid)
                .or_insert_with(|| "the server counts the message and does not show it".to_owned());
        }
        hidden.retain(|uid, _| !shown.contains(*uid));
        let lacking = least.saturating_sub(shown.len() + hidden.len() as u64);
        let incomplete = (lacking > 0).then(|| self.explain(lacking, least, &refused));
        if shown.is_empty() && lacking > 0 {
            let refusal = refused.into_iter().next().map(|it| it.error);
            let words = incomplete.unwrap_or_default();
            return Err(refusal.unwrap_or_else(|| self::incomplete(&words)));
        }
        let (messages, elsewhere, mut unseen) = self.sorted();
        unseen.extend(hidden.into_iter().map(|(uid, why)| UnseenMessage { uid, why }));
        let present = if incomplete.is_some() {
            Present::AllBut(elsewhere)
        } else {
            let there = messages.iter().map(|it| it.uid).chain(unseen.iter().map(|it| it.uid));
            Present::These(there.collect())
        };
        Ok(ScanResult { messages, present, unseen, incomplete })
    }

    /// Describes the messages that are not shown, as far as they are known.
    fn explain(&self, lacking: u64, least: u64, refused: &[RefusedSet]) -> String {
        let mut details: Vec<String> = Vec::new();
        for (uid, sequences) in self.twice.iter().take(MOST_NAMED) {
            let words = format!("sequence numbers {} have the same UID {uid}", joined(sequences));
            details.push(words);
        }
        for (sequence, sent) in self.odd.iter().take(MOST_NAMED) {
            let is_large = sent.parse::<u64>().is_ok_and(|it| it > u64::from(u32::MAX));
            let limit = if is_large { ", above the 32 bits that IMAP allows" } else { "" };
            details.push(format!("sequence number {sequence} has the UID {sent}{limit}"));
        }
        if let Some(RefusedSet { error, .. }) = refused.first() {
            details.push(error.message.clone());
        }
        let shown: BTreeSet<u32> = self.told.iter().map(|it| it.sequence).collect();
        if details.is_empty() && shown.len() == self.told.len() && lacking <= MOST_NAMED as u64 {
            let all = 1..=u32::try_from(least).unwrap_or(u32::MAX);
            let absent: BTreeSet<u32> = all.filter(|it| !shown.contains(it)).collect();
            if absent.len() as u64 == lacking {
                details.push(format!("sequence number {}", joined(&absent)));
            }
        }
        let details = if details.is_empty() { String::new() } else { format!(": {}", details.join("; ")) };
        format!(
            "the server says that it holds {least} messages, and does not show {lacking} of them{details}"
        )
    }
}

/// The UIDs that are also in the other set.
fn among(uids: &UidSet, others: &UidSet) -> Vec<Uid> {
    uids.iter().filter(|uid| others.contains(*uid)).collect()
}

fn joined(numbers: &BTreeSet<u32>) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
