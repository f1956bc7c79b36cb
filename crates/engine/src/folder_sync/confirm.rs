//! Compares what the target acknowledged with what it shows. An OK is no proof: servers acknowledge and do not store,
//! name a UID that is another message's, change sizes, dates and flags, and store what they refused.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use mailhaul_mail::{Digests, Fingerprint, Flags, Uid, UidSet};

use crate::{
    error::Error,
    folder::MessageInfo,
    folder_sync::flag_changes::grouped,
    folder_sync::job::{Work, forgotten},
    folder_sync::read_back::{Damaged, Lost, Stored, copies_of},
    ledger_state::{Copied, Floor, FolderState, MessageState, Record},
    matching::on_target::{Among, Sought, adopted, find_on_target, taken},
    matching::pairing::Proof,
    pass::Pass,
    ports::{Clock, FlagChange, Ledger, Progress, Source, Target},
    transfer::Acknowledged,
};

/// Copies of another size whose headers are compared, for each transfer. Where all of them are ours, the server
/// rewrites messages, and the others are believed.
const SAMPLE: usize = 20;
/// Time between two looks for messages that the target accepted and does not show.
const LATE_INTERVAL: Duration = Duration::from_secs(1);
/// Looks of that kind.
const LATE_LOOKS: u32 = 3;

/// Differences between a copy and what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Changed {
    uid: Uid,
    /// Its UID on the target.
    copy: Uid,
    is_resized: bool,
    is_redated: bool,
}

impl Changed {
    /// `None` where size and date are those that were sent.
    fn new(stored: &Stored<'_>, copy: &MessageInfo) -> Option<Self> {
        let message = &stored.message;
        let is_resized = message.bytes.is_some_and(|bytes| copy.size > 0 && copy.size != bytes);
        let moments = message.date.zip(copy.internal_date);
        let is_redated = moments.is_some_and(|(sent, stored)| sent.unix_seconds() != stored.unix_seconds());
        let changed = Self { uid: message.uid, copy: copy.uid, is_resized, is_redated };
        (is_resized || is_redated).then_some(changed)
    }
}

impl Work {
    /// Counts copies that the server changed.
    fn count_changed(&mut self, changed: impl Iterator<Item = Changed>) {
        for copy in changed {
            self.tally.rewritten += u64::from(copy.is_resized);
            self.tally.redated += u64::from(copy.is_redated);
        }
    }
}

/// What the target shows of the messages that it acknowledged. Pure.
#[derive(Debug, Default)]
struct Comparison<'a> {
    /// Not at the UID that was returned, or no UID was returned.
    missing: Vec<Uid>,
    /// Where the acknowledgements say that they are.
    in_place: Vec<Stored<'a>>,
    /// UIDs that no acknowledgement named.
    strangers: UidSet,
}

impl<'a> Comparison<'a> {
    /// `merges` allows two messages to be one copy.
    fn new(acknowledged: &'a [Acknowledged], shown: &BTreeMap<Uid, MessageInfo>, merges: bool) -> Self {
        let mut comparison = Self::default();
        let mut claims: HashMap<Uid, u32> = HashMap::new();
        for uid in acknowledged.iter().filter_map(|it| it.target_uid) {
            *claims.entry(uid).or_default() += 1;
        }
        for message in acknowledged {
            let copy = message.target_uid.and_then(|uid| shown.get(&uid));
            // Two messages cannot have one UID: neither is believed.
            match copy.filter(|it| merges || claims.get(&it.uid) == Some(&1)) {
                Some(copy) => comparison.in_place.push(Stored::new(message, copy)),
                None => comparison.missing.push(message.uid),
            }
        }
        comparison.strangers = shown.keys().filter(|uid| !claims.contains_key(uid)).copied().collect();
        comparison
    }
}

/// Changes that give copies the flags that were sent. Keywords that a server adds stay. Pure.
fn flag_corrections(
    copies: &[Stored<'_>],
    shown: &BTreeMap<Uid, MessageInfo>,
    merges: bool,
) -> Vec<FlagChange> {
    let correction = |Stored { message, copy, .. }: &Stored<'_>| {
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

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Looks once at what the target stored since the last look, and brings the records in line with it: UIDs that were
    /// not told or not true, flags that differ, messages that were refused and stored, copies with other bytes. Returns the
    /// messages that the target accepted and does not have.
    pub(crate) async fn confirm(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        floor: Floor,
        owned: &UidSet,
        acknowledged: &[Acknowledged],
        refused: &[Uid],
    ) -> Result<Vec<Lost>, Error> {
        if acknowledged.is_empty() && refused.is_empty() {
            return Ok(Vec::new());
        }
        let habits = self.target.habits();
        let next = work.next_shown(floor);
        let first = acknowledged.iter().filter_map(|it| it.target_uid).fold(next, Uid::min);
        // The target did not return the UID of a message that it refused and stored all the same.
        let mut returned = acknowledged.iter().map(|message| message.target_uid);
        let greatest = returned.try_fold(first, |greatest, uid| Some(greatest.max(uid?)));
        let greatest = greatest.filter(|_| refused.is_empty());
        let read = self.limits.read_back.choose(acknowledged.iter().filter_map(Acknowledged::to_compare));
        let look = self.target.stored(&work.target, first, greatest, &read).await?;
        let mut shown: BTreeMap<Uid, MessageInfo> =
            look.messages.into_iter().map(|message| (message.uid, message)).collect();
        work.shown_until = shown.keys().next_back().copied().max(work.shown_until);
        let Comparison { mut missing, mut in_place, mut strangers } =
            Comparison::new(acknowledged, &shown, habits.merges_copies);
        let is_exact = !habits.shows_late && !habits.merges_copies;
        let mut damaged = Vec::new();
        if !habits.shows_late {
            let read = look.digests.into_iter().collect();
            let untrue = self.check_places(work, &in_place, &shown, read, is_exact, &mut damaged).await?;
            strangers.extend(in_place.iter().filter(|it| untrue.contains(&it.message.uid)).map(|it| it.copy));
            in_place.retain(|stored| !untrue.contains(&stored.message.uid));
            missing.extend(untrue);
        }
        if habits.merges_copies && !missing.is_empty() {
            missing = self.without_twins(work, missing).await?;
        }
        let mut lost = Vec::new();
        if !missing.is_empty() {
            let not_stored = self.find_missing(work, state, floor, owned, &missing).await?;
            lost.extend(not_stored.into_iter().map(Lost::not_stored));
            let located = self.located(work, acknowledged, &missing, &mut shown).await?;
            if is_exact {
                damaged.extend(self.check_bytes(work, &located, HashMap::new()).await?);
            }
            work.count_changed(located.iter().filter_map(|it| Changed::new(it, shown.get(&it.copy)?)));
            in_place.extend(located);
        }
        let copies = copies_of(&damaged);
        in_place.retain(|stored| !copies.contains(stored.copy));
        lost.extend(self.remove_damaged(work, damaged).await?);
        self.correct_flags(work, &flag_corrections(&in_place, &shown, habits.merges_copies)).await?;
        if !refused.is_empty() && strangers.last().is_some_and(|it| it >= next) {
            self.adopt_unexpected(work, state, owned, next, refused).await?;
        }
        if is_exact {
            let new = UidSet::range(next, Uid::LAST);
            let strangers: UidSet = strangers.iter().filter(|uid| new.contains(*uid)).collect();
            self.check_doubles(work, state, owned, &in_place, &shown, &strangers).await?;
        }
        Ok(lost)
    }

    /// Tells copies from other messages under a UID that is not true: returns the UIDs on the source of the latter. Adds
    /// copies with other bytes to `damaged`, and counts what the server changed.
    async fn check_places(
        &mut self,
        work: &mut Work,
        in_place: &[Stored<'_>],
        shown: &BTreeMap<Uid, MessageInfo>,
        read: HashMap<Uid, Digests>,
        is_exact: bool,
        damaged: &mut Vec<Damaged>,
    ) -> Result<HashSet<Uid>, Error> {
        let mut untrue = HashSet::new();
        if is_exact {
            let found = self.check_bytes(work, in_place, read).await?;
            let (ours, others) = self.tell_ours(work, found).await?;
            damaged.extend(ours);
            untrue.extend(others);
        }
        let mut changed: Vec<Changed> =
            in_place.iter().filter_map(|it| Changed::new(it, shown.get(&it.copy)?)).collect();
        let copies = copies_of(damaged);
        changed.retain(|it| !untrue.contains(&it.uid) && !copies.contains(it.copy));
        let others = self.check_changed(work, changed).await?;
        untrue.extend(others);
        Ok(untrue)
    }

    /// The copies of messages that were missing at first and have been found.
    async fn located<'a>(
        &mut self,
        work: &Work,
        acknowledged: &'a [Acknowledged],
        missing: &[Uid],
        shown: &mut BTreeMap<Uid, MessageInfo>,
    ) -> Result<Vec<Stored<'a>>, Error> {
        let known = self.recorded(work, missing.iter().copied()).await?;
        let places: HashMap<Uid, Uid> =
            known.iter().filter_map(|(uid, copied)| Some((*uid, copied.target_uid?))).collect();
        let unseen = places.values().filter(|copy| !shown.contains_key(copy)).min();
        if let Some(first) = unseen.copied() {
            let look = self.target.stored(&work.target, first, None, &UidSet::new()).await?;
            shown.extend(look.messages.into_iter().map(|message| (message.uid, message)));
        }
        let stored = |message| Some(Stored::new(message, shown.get(places.get(&message.uid)?)?));
        Ok(acknowledged.iter().filter_map(stored).collect())
    }

    /// The messages that the ledger takes for copied since the folder was last settled: a crash came before they were
    /// compared.
    pub(crate) async fn confirm_recorded(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        owned: &UidSet,
    ) -> Result<bool, Error> {
        let Some(floor) = state.record.floor else { return Ok(false) };
        let unproved: Vec<Acknowledged> = state
            .done()
            .filter(|(_, it)| it.ours && it.target_uid.is_none_or(|uid| uid >= floor.uid_next))
            .map(|(uid, it)| Acknowledged {
                uid,
                target_uid: it.target_uid,
                bytes: None,
                size: it.size,
                // An edited message is not what was sent: its copy is not compared with it.
                fingerprint: it.edited.is_none().then_some(it.fingerprint),
                digests: it.edited.is_none().then_some(it.digests).flatten(),
                flags: if it.pending_flags.is_none() { it.flags.clone() } else { Flags::new() },
                date: None,
            })
            .collect();
        let lost = self.confirm(work, state, floor, owned, &unproved, &[]).await?;
        let records: Vec<Record> = lost.iter().map(|lost| forgotten(&work.source, lost.uid)).collect();
        self.record(state, &records).await?;
        Ok(!lost.is_empty())
    }

    /// The messages of which the ledger knows no other copy in the folder. A server that keeps one copy of identical
    /// messages has the others.
    async fn without_twins(&self, work: &Work, missing: Vec<Uid>) -> Result<Vec<Uid>, Error> {
        let Some(all) = self.ledger.folder(&work.source).await? else { return Ok(missing) };
        let absent: HashSet<Uid> = missing.iter().copied().collect();
        let there: HashSet<Digests> =
            all.done().filter(|(uid, _)| !absent.contains(uid)).filter_map(|(_, it)| it.digests).collect();
        let has_twin = |uid: &Uid| match all.messages.get(uid) {
            Some(MessageState::Done(copied)) => copied.digests.is_some_and(|it| there.contains(&it)),
            _ => false,
        };
        Ok(missing.into_iter().filter(|uid| !has_twin(uid)).collect())
    }

    /// Tells copies that the server changed from other messages under a UID that is not true; returns the latter.
    async fn check_changed(&mut self, work: &mut Work, changed: Vec<Changed>) -> Result<Vec<Uid>, Error> {
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let sample = &changed[..changed.len().min(SAMPLE)];
        let pairs: Vec<(Uid, Uid)> = sample.iter().map(|it| (it.uid, it.copy)).collect();
        let ours = self.with_our_headers(work, &pairs).await?;
        if sample.iter().any(|it| !ours.contains(it.copy)) {
            // One UID that is not true spoils them all: each is looked for.
            return Ok(changed.into_iter().map(|it| it.uid).collect());
        }
        work.count_changed(changed.into_iter());
        Ok(Vec::new())
    }

    /// The copies that have the headers of their message. Pairs are UIDs on the source and on the target.
    pub(crate) async fn with_our_headers(
        &mut self,
        work: &Work,
        pairs: &[(Uid, Uid)],
    ) -> Result<UidSet, Error> {
        let copies: UidSet = pairs.iter().map(|(_, copy)| *copy).collect();
        let there: HashMap<Uid, Fingerprint> =
            self.target.fingerprints(&work.target, &copies).await?.into_iter().collect();
        let known = self.recorded(work, pairs.iter().map(|(uid, _)| *uid)).await?;
        let is_ours = |(uid, copy): &&(Uid, Uid)| {
            let sent = known.get(uid).map(|copied| copied.as_copy().fingerprint);
            sent.is_some() && sent == there.get(copy).copied()
        };
        Ok(pairs.iter().filter(is_ours).map(|(_, copy)| *copy).collect())
    }

    /// What the ledger knows of these messages.
    async fn recorded(
        &self,
        work: &Work,
        uids: impl Iterator<Item = Uid>,
    ) -> Result<HashMap<Uid, Copied>, Error> {
        let uids: UidSet = uids.collect();
        let state = self.ledger.folder_around(&work.source, &uids).await?;
        let done = state.into_iter().flat_map(|it| it.messages);
        Ok(done
            .filter_map(|(uid, known)| match known {
                MessageState::Done(copied) if uids.contains(uid) => Some((uid, copied)),
                _ => None,
            })
            .collect())
    }

    /// Gives copies the flags that were sent with them, and counts those that the target does not keep so.
    async fn correct_flags(&mut self, work: &mut Work, changes: &[FlagChange]) -> Result<(), Error> {
        let uids = || changes.iter().flat_map(|change| change.uids.iter());
        let (Some(first), last) = (uids().min(), uids().max()) else { return Ok(()) };
        self.target.store_flags(&work.target, changes).await?;
        let look = self.target.stored(&work.target, first, last, &UidSet::new()).await?;
        let now: HashMap<Uid, Flags> =
            look.messages.into_iter().map(|message| (message.uid, message.flags)).collect();
        for change in changes {
            let differs = |uid: Uid| {
                let there = now.get(&uid)?;
                let is_kept = there.iter().any(|name| change.remove.contains(name));
                Some(is_kept || !change.add.without(there).is_empty())
            };
            let count = change.uids.iter().filter(|uid| differs(*uid) == Some(true)).count();
            work.tally.unflagged += count as u64;
        }
        Ok(())
    }

    /// Looks for acknowledged messages by what they are. Returns those that are not there, after the target had time to
    /// show them.
    async fn find_missing(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        floor: Floor,
        owned: &UidSet,
        missing: &[Uid],
    ) -> Result<Vec<Uid>, Error> {
        let known = self.recorded(work, missing.iter().copied()).await?;
        let untold = known.into_iter().map(|(uid, copied)| Record::Message {
            folder: work.source.clone(),
            uid,
            state: Some(MessageState::Done(Copied { target_uid: None, ..copied })),
        });
        let untold: Vec<Record> = untold.collect();
        self.record(state, &untold).await?;
        self.locate(work, state, Some(floor), owned).await?;
        let is_lost = |state: &FolderState, uid: &Uid| match state.messages.get(uid) {
            Some(MessageState::Done(copied)) => copied.target_uid.is_none(),
            _ => false,
        };
        let lost = |state: &FolderState| -> Vec<Uid> {
            missing.iter().filter(|uid| is_lost(state, uid)).copied().collect()
        };
        if lost(state).is_empty() || self.target.habits().shows_late {
            return Ok(Vec::new());
        }
        // What one message showed need not be waited for with each.
        let looks = if work.lost_probes == 0 { LATE_LOOKS } else { 1 };
        for _ in 0..looks {
            self.clock.sleep(LATE_INTERVAL).await;
            self.wait_until_quiet(&work.target).await?;
            self.locate(work, state, Some(floor), owned).await?;
            if lost(state).is_empty() || self.stop.is_cancelled() {
                break;
            }
        }
        if !lost(state).is_empty() {
            // The UIDNEXT that the floor comes from may be too high, and then nothing is ever above it.
            self.locate(work, state, None, owned).await?;
        }
        let lost = lost(state);
        if !lost.is_empty() {
            self.check_target_count(work).await?;
        }
        Ok(lost)
    }

    /// A server may store a message and answer NO, or show it late: it is looked for before it is sent again.
    pub(crate) async fn adopt_unexpected(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        owned: &UidSet,
        first: Uid,
        sought: &[Uid],
    ) -> Result<UidSet, Error> {
        if sought.is_empty() {
            return Ok(UidSet::new());
        }
        let all = self.ledger.folder(&work.source).await?;
        let owned = taken(all.as_ref().unwrap_or(state), owned);
        let among = Among::just_sent(first, Proof::Digest);
        let wanted: Vec<Sought> = sought.iter().map(|uid| Sought::as_it_is(*uid, 0)).collect();
        let found =
            find_on_target(self.source, self.target, &work.source, &work.target, &wanted, &owned, among)
                .await?;
        let done = |it| MessageState::Done(adopted(it, true));
        let records: Vec<Record> = found
            .iter()
            .map(|it| Record::Message { folder: work.source.clone(), uid: it.uid, state: Some(done(it)) })
            .collect();
        self.record(state, &records).await?;
        work.tally.copied += records.len() as u64;
        Ok(found.iter().map(|it| it.uid).collect())
    }
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
    fn what_is_missing_changed_or_claimed_twice_is_found() {
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
        // Of two messages with one UID, neither is believed.
        assert_eq!(found.missing, [uid(1), uid(4), uid(5), uid(6)]);
        let differing: Vec<(u32, bool, bool)> = found
            .in_place
            .iter()
            .filter_map(|it| Changed::new(it, there.get(&it.copy)?))
            .map(|it| (it.uid.get(), it.is_resized, it.is_redated))
            .collect();
        assert_eq!(differing, [(2, true, false), (3, false, true)]);
        let changes: Vec<(String, String, Vec<Uid>)> = flag_corrections(&found.in_place, &there, false)
            .into_iter()
            .map(|it| (it.add.to_string(), it.remove.to_string(), it.uids.iter().collect()))
            .collect();
        let (none, work) = (String::new(), "work".to_owned());
        assert_eq!(
            changes,
            [(none, "\\Deleted".to_owned(), vec![uid(12)]), (work, String::new(), vec![uid(13)])]
        );
        assert_eq!(Comparison::new(&acknowledged, &there, true).missing, [uid(4), uid(6)]);
    }
}
