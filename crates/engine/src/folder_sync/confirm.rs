//! Compares the messages that the target acknowledged with those that it shows.
//!
//! An OK is no proof. Servers acknowledge messages and do not store them, or return the UID of another message. They
//! change sizes, dates and flags, and they store messages that they refused.

use std::collections::{BTreeMap, HashMap, HashSet};

use mailhaul_mail::{Digests, Flags, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::{
        doubles::{check_doubles, suspects},
        flag_changes::grouped,
        job::{CopyBounds, FolderJob, deletion_record},
        lost::LostMessage,
        missing::{adopt_unexpected, find_missing, located_copies, without_twins},
        own_headers::copies_with_our_headers,
        read_back::{DamagedCopy, StoredCopy, check_bytes, copies_of, remove_damaged, split_ours},
    },
    ledger_state::{FolderState, LedgerRecord},
    ports::{FlagChange, Mailbox as _, Target},
    transfer::recorder::Acknowledged,
};

/// Copies of another size whose headers are compared, for each transfer. If all of them are ours, the server rewrites
/// messages, and the other copies are believed.
const SAMPLE: usize = 20;

/// Differences between a copy and the message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CopyChange {
    uid: Uid,
    /// UID on the target.
    copy: Uid,
    is_resized: bool,
    is_redated: bool,
}

impl CopyChange {
    /// Returns `None` if size and date are those that were sent.
    fn new(stored: &StoredCopy<'_>, copy: &MessageInfo) -> Option<Self> {
        let message = &stored.message;
        let is_resized = message.bytes.is_some_and(|bytes| copy.size > 0 && copy.size != bytes);
        let moments = message.date.zip(copy.internal_date);
        let is_redated = moments.is_some_and(|(sent, stored)| sent.unix_seconds() != stored.unix_seconds());
        let changed = Self { uid: message.uid, copy: copy.uid, is_resized, is_redated };
        (is_resized || is_redated).then_some(changed)
    }
}

impl FolderJob {
    /// Counts copies that the server changed.
    fn count_changed(&mut self, changed: impl Iterator<Item = CopyChange>) {
        for copy in changed {
            self.tally.rewritten += u64::from(copy.is_resized);
            self.tally.redated += u64::from(copy.is_redated);
        }
    }
}

/// The target's view of the messages that it acknowledged. Pure.
#[derive(Debug, Default)]
struct Comparison<'a> {
    /// Not at the returned UID, or no UID was returned.
    missing: Vec<Uid>,
    /// At the returned UID.
    in_place: Vec<StoredCopy<'a>>,
    /// UIDs that no acknowledgement named.
    strangers: UidSet,
}

impl<'a> Comparison<'a> {
    /// `merges`: the target may keep one copy for two messages.
    fn new(acknowledged: &'a [Acknowledged], shown: &BTreeMap<Uid, MessageInfo>, merges: bool) -> Self {
        let mut comparison = Self::default();
        let mut claims: HashMap<Uid, u32> = HashMap::new();
        for uid in acknowledged.iter().filter_map(|it| it.target_uid) {
            *claims.entry(uid).or_default() += 1;
        }
        for message in acknowledged {
            let copy = message.target_uid.and_then(|uid| shown.get(&uid));
            // Two messages cannot have one UID: neither acknowledgement is believed.
            match copy.filter(|it| merges || claims.get(&it.uid) == Some(&1)) {
                Some(copy) => comparison.in_place.push(StoredCopy::new(message, copy)),
                None => comparison.missing.push(message.uid),
            }
        }
        comparison.strangers = shown.keys().filter(|uid| !claims.contains_key(uid)).copied().collect();
        comparison
    }
}

/// Computes changes that give copies the flags that were sent. Keywords that a server adds stay. Pure.
fn flag_corrections(
    copies: &[StoredCopy<'_>],
    shown: &BTreeMap<Uid, MessageInfo>,
    merges: bool,
) -> Vec<FlagChange> {
    let correction = |StoredCopy { message, copy, .. }: &StoredCopy<'_>| {
        let there = shown.get(copy)?;
        let add = message.flags.without(&there.flags);
        let is_extra = |name: &str| {
            name.starts_with('\\') && !name.eq_ignore_ascii_case("\\Recent") && !message.flags.contains(name)
        };
        let was_just_sent = message.bytes.is_some() && !merges;
        let remove = there.flags.filtered(|name| was_just_sent && is_extra(name));
        (!add.is_empty() || !remove.is_empty()).then_some((add, remove, *copy))
    };
    grouped(copies.iter().filter_map(correction))
}

/// Digests of copies. One that is not that of the sent message is read again: a quick look proves nothing against a copy.
async fn proved_digests<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    acknowledged: &[Acknowledged],
    read: Vec<(Uid, Digests)>,
) -> Result<HashMap<Uid, Digests>, Error> {
    let mut digests: HashMap<Uid, Digests> = read.into_iter().collect();
    let differs = |message: &Acknowledged| {
        let copy = message.target_uid?;
        let (sent, stored) = (message.digests?, digests.get(&copy)?);
        (sent.whole != stored.whole).then_some(copy)
    };
    let doubtful: UidSet = acknowledged.iter().filter_map(differs).collect();
    if !doubtful.is_empty() {
        digests.retain(|uid, _| !doubtful.contains(*uid));
        digests.extend(cx.target.digests(&job.target, &doubtful).await?);
    }
    Ok(digests)
}

/// Reads once what the target stored since the last comparison, and corrects the records.
///
/// Corrected are UIDs that are missing or wrong, flags that differ, messages that were refused and stored, and copies
/// with other bytes. Returns the messages that the target accepted and does not have.
pub(crate) async fn confirm_copies<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    bounds: CopyBounds<'_>,
    acknowledged: &[Acknowledged],
    refused: &[Uid],
) -> Result<Vec<LostMessage>, Error> {
    let CopyBounds { append_start, owned } = bounds;
    if acknowledged.is_empty() && refused.is_empty() {
        return Ok(Vec::new());
    }
    let habits = cx.target.habits();
    let next = job.next_unshown(append_start);
    let first = acknowledged.iter().filter_map(|it| it.target_uid).fold(next, Uid::min);
    // The target returned no UID for a message that it refused and stored all the same.
    let mut returned = acknowledged.iter().map(|message| message.target_uid);
    let greatest = returned.try_fold(first, |greatest, uid| Some(greatest.max(uid?)));
    let greatest = greatest.filter(|_| refused.is_empty());
    let read = cx.limits.read_back.choose(acknowledged.iter().filter_map(Acknowledged::to_compare));
    let look = cx.target.stored(&job.target, first, greatest, &read).await?;
    let mut shown: BTreeMap<Uid, MessageInfo> =
        look.messages.into_iter().map(|message| (message.uid, message)).collect();
    job.note_shown(shown.keys().next_back().copied());
    let Comparison { mut missing, mut in_place, mut strangers } =
        Comparison::new(acknowledged, &shown, habits.merges_copies);
    let is_exact = !habits.shows_late && !habits.merges_copies;
    let mut damaged = Vec::new();
    if !habits.shows_late {
        let read =
            if is_exact { Some(proved_digests(cx, job, acknowledged, look.digests).await?) } else { None };
        let untrue = check_returned_uids(cx, job, &in_place, &shown, read, &mut damaged).await?;
        strangers.extend(in_place.iter().filter(|it| untrue.contains(&it.message.uid)).map(|it| it.copy));
        in_place.retain(|stored| !untrue.contains(&stored.message.uid));
        missing.extend(untrue);
    }
    if habits.merges_copies && !missing.is_empty() {
        missing = without_twins(cx, job, missing).await?;
    }
    let mut lost = Vec::new();
    if !missing.is_empty() {
        let not_stored = find_missing(cx, job, state, bounds, &missing).await?;
        lost.extend(not_stored.into_iter().map(LostMessage::not_stored));
        let located = located_copies(cx, job, acknowledged, &missing, &mut shown).await?;
        if is_exact {
            damaged.extend(check_bytes(cx, job, &located, HashMap::new()).await?);
        }
        job.count_changed(located.iter().filter_map(|it| CopyChange::new(it, shown.get(&it.copy)?)));
        in_place.extend(located);
    }
    let copies = copies_of(&damaged);
    in_place.retain(|stored| !copies.contains(stored.copy));
    lost.extend(remove_damaged(cx, job, damaged).await?);
    correct_flags(cx, job, &flag_corrections(&in_place, &shown, habits.merges_copies)).await?;
    if !refused.is_empty() && strangers.last().is_some_and(|it| it >= next) {
        adopt_unexpected(cx, job, state, owned, next, refused).await?;
    }
    if is_exact {
        let new = UidSet::range(next, Uid::LAST);
        let strangers: UidSet = strangers.iter().filter(|uid| new.contains(*uid)).collect();
        check_doubles(cx, job, state, owned, &in_place, &suspects(&in_place, &shown, &strangers)).await?;
    }
    Ok(lost)
}

/// Separates copies from other messages at a wrong UID, and returns the source UIDs of the latter.
///
/// Adds copies with other bytes to `damaged`, and counts changes that the server made. `read` has digests of copies
/// that were read already; `None` if bytes are not compared.
async fn check_returned_uids<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    in_place: &[StoredCopy<'_>],
    shown: &BTreeMap<Uid, MessageInfo>,
    read: Option<HashMap<Uid, Digests>>,
    damaged: &mut Vec<DamagedCopy>,
) -> Result<HashSet<Uid>, Error> {
    let mut untrue = HashSet::new();
    if let Some(read) = read {
        let found = check_bytes(cx, job, in_place, read).await?;
        let (ours, others) = split_ours(cx, job, found).await?;
        damaged.extend(ours);
        untrue.extend(others);
    }
    let mut changed: Vec<CopyChange> =
        in_place.iter().filter_map(|it| CopyChange::new(it, shown.get(&it.copy)?)).collect();
    let copies = copies_of(damaged);
    changed.retain(|it| !untrue.contains(&it.uid) && !copies.contains(it.copy));
    let others = check_changed(cx, job, changed).await?;
    untrue.extend(others);
    Ok(untrue)
}

/// Confirms messages that the ledger has as copied since the folder was last settled.
///
/// A crash came before they were compared. Returns true if any of them is lost.
pub(crate) async fn confirm_recorded<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &mut FolderState,
    owned: &UidSet,
) -> Result<bool, Error> {
    let Some(append_start) = state.record.append_start else { return Ok(false) };
    let unproved: Vec<Acknowledged> = state
        .done()
        .filter(|(_, it)| it.ours && it.target_uid.is_none_or(|uid| uid >= append_start.uid_next))
        .map(|(uid, it)| Acknowledged {
            uid,
            target_uid: it.target_uid,
            bytes: None,
            size: it.size,
            // An edited message is not what the source has: its copy is not compared with it.
            fingerprint: it.edited.is_none().then_some(it.fingerprint),
            digests: it.edited.is_none().then_some(it.digests).flatten(),
            flags: if it.pending_flags.is_none() { it.flags.clone() } else { Flags::new() },
            date: None,
        })
        .collect();
    let lost = confirm_copies(cx, job, state, CopyBounds { append_start, owned }, &unproved, &[]).await?;
    let records: Vec<LedgerRecord> = lost.iter().map(|lost| deletion_record(&job.source, lost.uid)).collect();
    cx.record(state, &records).await?;
    Ok(!lost.is_empty())
}

/// Separates copies that the server changed from other messages at a wrong UID; returns the latter.
async fn check_changed<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    changed: Vec<CopyChange>,
) -> Result<Vec<Uid>, Error> {
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let sample = &changed[..changed.len().min(SAMPLE)];
    let pairs: Vec<(Uid, Uid)> = sample.iter().map(|it| (it.uid, it.copy)).collect();
    let ours = copies_with_our_headers(cx, job, &pairs).await?;
    if sample.iter().any(|it| !ours.contains(it.copy)) {
        // One wrong UID puts all others in doubt: each is searched for.
        return Ok(changed.into_iter().map(|it| it.uid).collect());
    }
    job.count_changed(changed.into_iter());
    Ok(Vec::new())
}

/// Gives copies the flags that were sent with them, and counts those that the target does not keep.
async fn correct_flags<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    changes: &[FlagChange],
) -> Result<(), Error> {
    let uids = || changes.iter().flat_map(|change| change.uids.iter());
    let (Some(first), last) = (uids().min(), uids().max()) else { return Ok(()) };
    cx.target.store_flags(&job.target, changes).await?;
    let look = cx.target.stored(&job.target, first, last, &UidSet::new()).await?;
    let now: HashMap<Uid, Flags> =
        look.messages.into_iter().map(|message| (message.uid, message.flags)).collect();
    for change in changes {
        let differs = |uid: Uid| {
            let there = now.get(&uid)?;
            let is_kept = there.iter().any(|name| change.remove.contains(name));
            Some(is_kept || !change.add.without(there).is_empty())
        };
        let count = change.uids.iter().filter(|uid| differs(*uid) == Some(true)).count();
        job.tally.unflagged += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::InternalDate;

    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn sent(number: u32, target: Option<u32>) -> Acknowledged {
        Acknowledged {
            uid: uid(number),
            target_uid: target.map(uid),
            bytes: Some(100),
            size: 100,
            fingerprint: None,
            digests: None,
            flags: "\\Seen work".split(' ').collect(),
            date: InternalDate::new(1_000, 60),
        }
    }

    fn shown(number: u32, size: u64, flags: &str, seconds: i64) -> (Uid, MessageInfo) {
        let flags = flags.split_whitespace().collect();
        let internal_date = InternalDate::new(seconds, 0);
        (uid(number), MessageInfo { uid: uid(number), flags, internal_date, size })
    }

    #[test]
    fn missing_changed_and_doubly_claimed_copies_are_found() {
        let there: BTreeMap<Uid, MessageInfo> = [
            shown(11, 100, "\\Seen work", 1_000),
            shown(12, 102, "\\Seen \\Deleted \\Recent work other", 1_000),
            shown(13, 100, "\\Seen", 2_000),
        ]
        .into();
        let acknowledged = [
            sent(1, Some(11)),
            sent(2, Some(12)),
            sent(3, Some(13)),
            sent(4, None),
            sent(5, Some(11)),
            sent(6, Some(99)),
        ];
        let found = Comparison::new(&acknowledged, &there, false);
        // Two messages with one UID: neither is believed.
        assert_eq!(found.missing, [uid(1), uid(4), uid(5), uid(6)]);
        let differing: Vec<(u32, bool, bool)> = found
            .in_place
            .iter()
            .filter_map(|it| CopyChange::new(it, there.get(&it.copy)?))
            .map(|it| (it.uid.get(), it.is_resized, it.is_redated))
            .collect();
        assert_eq!(differing, [(2, true, false), (3, false, true)]);
        let changes: Vec<(String, String, Vec<Uid>)> = flag_corrections(&found.in_place, &there, false)
            .into_iter()
            .map(|it| (it.add.to_string(), it.remove.to_string(), it.uids.iter().collect()))
            .collect();
        let (none, job) = (String::new(), "work".to_owned());
        assert_eq!(
            changes,
            [(none, "\\Deleted".to_owned(), vec![uid(12)]), (job, String::new(), vec![uid(13)])]
        );
        assert_eq!(Comparison::new(&acknowledged, &there, true).missing, [uid(4), uid(6)]);
    }
}
