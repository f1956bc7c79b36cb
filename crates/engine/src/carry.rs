//! Carrying one folder: settle, scan, plan, adopt, move, copy, flags; each step may be begun again after a failure.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use mailhaul_mail::{Digests, FolderPath, Scope, Uid, UidSet};

use crate::{
    error::{Error, ErrorKind},
    folder::{Cursor, FolderStatus, MessageInfo, Present, Scan},
    folder_plan::FolderPlan,
    pairing::{Candidate, pair_by_digests, pair_by_fingerprint},
    pass::{BATCH, Deletions, Pass},
    plan::{MessagePlan, plan_messages},
    ports::{Clock, Event, FlagChange, Ledger, Missing, Progress, Source, Target},
    record::{Copied, Floor, FolderRecord, FolderState, MessageState, Record},
    report::{FolderReport, FolderTally, SkippedItem},
    settle::{Among, adopted, find_on_target, follow_new_validity, settle},
    transfer::{Lane, transfer},
};

/// A message that vanished from one folder and came up in another.
#[derive(Clone, Debug)]
struct MovedHere {
    from: FolderPath,
    from_target: FolderPath,
    old_uid: Uid,
    copied: Copied,
}

/// How much a scan must show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// What changed since the last settled pass.
    Changes,
    /// All messages.
    Everything,
}

/// What is known of a folder when the pass begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Nothing, or with another place on the target.
    New,
    /// It was carried before.
    Known,
    /// It was carried before, and the source has it no more.
    Departed,
}

/// One folder under way.
pub(crate) struct Work {
    source: FolderPath,
    target: FolderPath,
    subscribe: bool,
    reason: String,
    /// Messages of the source folder, as listed.
    listed: u64,
    origin: Origin,
    created: bool,
    attempts: u32,
    scan: Option<Arc<Scan>>,
    moves: BTreeMap<Uid, MovedHere>,
    /// Old UIDs of messages that were moved away, or are about to be.
    moved_away: UidSet,
    vanished: Vec<(Uid, Copied)>,
    /// Messages skipped by this pass, with why.
    skipped: BTreeMap<Uid, String>,
    gone: UidSet,
    carried: bool,
    tally: FolderTally,
    error: Option<Error>,
}

impl Work {
    pub(crate) fn new(plan: FolderPlan, target: FolderPath, why: &str, known: bool) -> Self {
        Self {
            source: plan.source,
            target,
            subscribe: plan.subscribe,
            reason: format!("{}; {why}", plan.reason),
            listed: plan.status.map_or(0, |it| u64::from(it.messages)),
            origin: if known { Origin::Known } else { Origin::New },
            created: false,
            attempts: 0,
            scan: None,
            moves: BTreeMap::new(),
            moved_away: UidSet::new(),
            vanished: Vec::new(),
            skipped: BTreeMap::new(),
            gone: UidSet::new(),
            carried: false,
            tally: FolderTally::default(),
            error: None,
        }
    }

    /// A folder that the source has no more: all its messages vanished.
    pub(crate) fn departed(record: FolderRecord) -> Self {
        let plan = FolderPlan {
            source: record.folder,
            target: None,
            subscribe: false,
            reason: "known from an earlier pass".to_owned(),
            status: None,
        };
        let mut work = Self::new(plan, record.target, "the source has it no more", true);
        work.origin = Origin::Departed;
        work.scan = Some(Arc::new(Scan {
            status: FolderStatus {
                messages: 0,
                uid_validity: record.uid_validity,
                uid_next: None,
                highest_modseq: None,
            },
            messages: Vec::new(),
            present: Present::These(UidSet::new()),
        }));
        work
    }

    pub(crate) fn is_known(&self) -> bool {
        self.origin != Origin::New
    }

    pub(crate) fn source(&self) -> &FolderPath {
        &self.source
    }

    pub(crate) fn target(&self) -> &FolderPath {
        &self.target
    }

    pub(crate) fn listed(&self) -> u64 {
        self.listed
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    pub(crate) fn fail(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Grows whenever something was achieved that need not be done again.
    pub(crate) fn gained(&self) -> u64 {
        self.tally.copied + self.tally.moved + self.tally.flags_changed + self.skipped.len() as u64
    }

    pub(crate) fn into_report(self) -> FolderReport {
        let mut error = self.error;
        if error.is_none() && self.carried && !self.tally.closes() {
            let t = &self.tally;
            let message = format!(
                "the sums do not close: {} seen, {} copied, {} already there, {} left out, {} skipped",
                t.seen,
                t.copied,
                t.already,
                t.excluded,
                t.skipped.len()
            );
            error = Some(Error::new(Scope::Folder, mailhaul_mail::Retry::Now, ErrorKind::Internal, message));
        }
        FolderReport {
            source: self.source,
            target: Some(self.target),
            reason: self.reason,
            tally: self.tally,
            error,
        }
    }

    fn skip(&mut self, message: &MessageInfo, reason: String) {
        self.tally.skipped.push(SkippedItem {
            uid: message.uid,
            subject: None,
            internal_date: message.internal_date,
            size: message.size,
            reason: reason.clone(),
        });
        self.skipped.insert(message.uid, reason);
    }
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Scans a folder of an earlier pass and finds what vanished from it.
    pub(crate) async fn scan_known(&mut self, work: &mut Work) -> Result<(), Error> {
        let Some(mut state) = self.ledger.folder(&work.source).await? else { return Ok(()) };
        let scan = self.scan(work, &mut state, Reach::Changes).await?;
        let plan = plan_messages(&scan, &state, &self.options.filter, self.options.order);
        work.vanished = plan.vanished;
        Ok(())
    }

    /// The scan, with the records brought to the source's UIDVALIDITY.
    async fn scan(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        reach: Reach,
    ) -> Result<Arc<Scan>, Error> {
        if let Some(scan) = &work.scan {
            return Ok(scan.clone());
        }
        let usable = |cursor: &&Cursor| cursor.status.uid_validity == state.record.uid_validity;
        let rules_hold = state.record.rules == self.options.rules();
        // What was skipped or left out does not change: only a scan of everything shows it again.
        let since = state
            .record
            .cursor
            .as_ref()
            .filter(usable)
            .filter(|it| reach == Reach::Changes && rules_hold && it.skipped == 0 && it.excluded == 0);
        let mut scan = self.source.scan(&work.source, since).await?;
        if scan.status.uid_validity != state.record.uid_validity {
            if since.is_some() {
                scan = self.source.scan(&work.source, None).await?;
            }
            let lost = follow_new_validity(self.source, self.ledger, state, &scan).await?;
            work.reason =
                format!("{}; UIDVALIDITY changed, {lost} messages could not be paired", work.reason);
        }
        let scan = Arc::new(scan);
        work.scan = Some(scan.clone());
        Ok(scan)
    }

    /// Finds messages that vanished from one folder and are new in another.
    pub(crate) async fn find_moves(&mut self, works: &mut [Work]) -> Result<(), Error> {
        // Candidates on the right are numbered, because UIDs of several folders would clash.
        let mut vanished: Vec<(usize, Uid, Copied)> = Vec::new();
        for (index, work) in works.iter().enumerate().filter(|(_, work)| !work.has_failed()) {
            let movable = work.vanished.iter().filter(|(_, copied)| copied.target_uid.is_some());
            vanished.extend(movable.map(|(uid, copied)| (index, *uid, copied.clone())));
        }
        if vanished.is_empty() {
            return Ok(());
        }
        let number = |index: usize| u32::try_from(index + 1).ok().and_then(Uid::new);
        let mut taken = vec![false; vanished.len()];
        for to in 0..works.len() {
            if works[to].has_failed() || works[to].origin == Origin::Departed {
                continue;
            }
            let source = works[to].source.clone();
            let state = self.ledger.folder(&source).await?;
            if works[to].scan.is_none() {
                works[to].scan = Some(Arc::new(self.source.scan(&source, None).await?));
            }
            let known = |uid: Uid| state.as_ref().is_some_and(|it| it.messages.contains_key(&uid));
            let Some(scan) = &works[to].scan else { continue };
            let new: BTreeMap<Uid, u64> =
                scan.messages.iter().filter(|it| !known(it.uid)).map(|it| (it.uid, it.size)).collect();
            if new.is_empty() {
                continue;
            }
            let uids: UidSet = new.keys().copied().collect();
            let left: Vec<Candidate> = self
                .source
                .fingerprints(&source, &uids)
                .await?
                .into_iter()
                .map(|(uid, fingerprint)| Candidate {
                    uid,
                    fingerprint,
                    size: new.get(&uid).copied().unwrap_or(0),
                })
                .collect();
            let right: Vec<Candidate> = vanished
                .iter()
                .enumerate()
                .filter(|(index, (from, ..))| !taken[*index] && *from != to)
                .filter_map(|(index, (_, _, it))| {
                    Some(Candidate { uid: number(index)?, fingerprint: it.fingerprint, size: it.size })
                })
                .collect();
            let pairing = pair_by_fingerprint(&left, &right, false);
            let mut pairs = pairing.sure;
            let doubtful: UidSet =
                pairing.doubts.iter().flat_map(|doubt| doubt.left.iter().copied()).collect();
            if !doubtful.is_empty() {
                let read: HashMap<Uid, Digests> =
                    self.source.digests(&source, &doubtful).await?.into_iter().collect();
                for doubt in &pairing.doubts {
                    let left: Vec<_> =
                        doubt.left.iter().filter_map(|uid| Some((*uid, *read.get(uid)?))).collect();
                    let right: Vec<_> = doubt
                        .right
                        .iter()
                        .filter_map(|uid| Some((*uid, vanished[uid.get() as usize - 1].2.digests?)))
                        .collect();
                    pairs.extend(pair_by_digests(&left, &right));
                }
            }
            for (uid, alias) in pairs {
                let index = alias.get() as usize - 1;
                let (from, old_uid, copied) = vanished[index].clone();
                taken[index] = true;
                works[from].moved_away.insert(old_uid);
                let (from, from_target) = (works[from].source.clone(), works[from].target.clone());
                works[to].moves.insert(uid, MovedHere { from, from_target, old_uid, copied });
            }
        }
        Ok(())
    }

    /// Brings one folder over. To be called again after an error that a new connection may mend.
    pub(crate) async fn carry(&mut self, works: &mut [Work], index: usize) -> Result<(), Error> {
        let work = &mut works[index];
        let first_attempt = work.attempts == 0;
        work.attempts += 1;
        if work.origin == Origin::New && !work.created {
            self.target.create_folder(&work.target, work.subscribe).await?;
            work.created = true;
        }
        let mut state = self.open(work).await?;
        let owned = self.owned_by_others(work).await?;
        let found = settle(self.source, self.target, self.ledger, &mut state, &owned).await?;
        if !first_attempt {
            work.tally.copied += found;
        }
        let reach = self.check_target_validity(work, &mut state, &owned).await?;
        if reach == Reach::Everything && work.origin != Origin::Departed {
            work.scan = None;
        }
        let scan = self.scan(work, &mut state, reach).await?;
        let mut plan = plan_messages(&scan, &state, &self.options.filter, self.options.order);
        plan.copy.retain(|it| !work.gone.contains(it.uid) && !work.skipped.contains_key(&it.uid));
        work.tally.seen = plan.seen() + work.skipped.len() as u64 - plan.skip.len() as u64;
        for (message, reason) in std::mem::take(&mut plan.skip) {
            if !work.skipped.contains_key(&message.uid) {
                work.tally.seen += 1;
                work.skip(&message, reason);
            }
        }
        work.tally.excluded = plan.excluded;
        work.tally.already = plan.already.saturating_sub(work.tally.copied);
        work.vanished = std::mem::take(&mut plan.vanished);
        let forget: Vec<Record> = plan.forget.iter().map(|uid| forgotten(&work.source, *uid)).collect();
        self.record(&mut state, &forget).await?;

        if !plan.copy.is_empty() {
            self.bring(work, &mut state, &mut plan, &owned).await?;
        }
        self.store_flags(work, &mut state, &scan).await?;
        self.name_skipped(work).await?;
        let skipped: Vec<Record> = work
            .skipped
            .iter()
            .map(|(uid, reason)| Record::Message {
                folder: work.source.clone(),
                uid: *uid,
                state: Some(MessageState::Skipped(reason.clone())),
            })
            .collect();
        self.record(&mut state, &skipped).await?;
        work.carried = true;
        self.progress.event(Event::FolderDone { folder: &work.source, tally: &work.tally });
        Ok(())
    }

    /// The folder's state, with its place written down.
    async fn open(&mut self, work: &Work) -> Result<FolderState, Error> {
        if let Some(state) = self.ledger.folder(&work.source).await?
            && state.record.target == work.target
        {
            return Ok(state);
        }
        let uid_validity = match &work.scan {
            Some(scan) => scan.status.uid_validity,
            None => self.source.status(&work.source).await?.uid_validity,
        };
        let (folder, target) = (work.source.clone(), work.target.clone());
        let opened = Record::Opened { folder: folder.clone(), target: target.clone(), uid_validity };
        self.ledger.record(std::slice::from_ref(&opened)).await?;
        Ok(FolderState::opened(folder, target, uid_validity))
    }

    /// Moves, adopts and copies what is planned to be copied.
    async fn bring(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        owned: &UidSet,
    ) -> Result<(), Error> {
        let status = self.target.status(&work.target).await?;
        let floor = self.floor(work, &status).await?;
        self.follow_moves(work, state, plan, floor, owned).await?;
        // What a folder that is new to the ledger already holds may be a part of this mailbox.
        if state.record.cursor.is_none() && status.messages > 0 {
            self.adopt(work, state, plan, owned).await?;
        }
        let messages: HashMap<Uid, MessageInfo> = plan.copy.iter().map(|it| (it.uid, it.clone())).collect();
        let bytes = plan.copy.iter().map(|it| it.size).sum();
        self.progress.event(Event::Folder {
            folder: &work.source,
            reason: &work.reason,
            messages: plan.copy.len() as u64,
            bytes,
        });
        // A refused command is halved until the refused message stands alone.
        let mut todo: Vec<(Vec<Uid>, usize)> = vec![(plan.copy.iter().map(|it| it.uid).collect(), BATCH)];
        while let Some((uids, batch)) = todo.pop() {
            let group: Vec<&MessageInfo> = uids.iter().filter_map(|uid| messages.get(uid)).collect();
            if group.is_empty() {
                continue;
            }
            let lane = Lane {
                ledger: self.ledger,
                progress: self.progress,
                budget: self.budget,
                stop: self.stop,
                target_folder: &work.target,
                floor,
            };
            let (done, result) = transfer(self.source, self.target, &lane, state, &group, batch).await;
            work.tally.copied += done.copied;
            work.tally.bytes += done.bytes;
            result?;
            for (uid, missing) in done.missing {
                let record = forgotten(&work.source, uid);
                self.record(state, &[record]).await?;
                match missing {
                    Missing::Gone => {
                        work.gone.insert(uid);
                        work.tally.seen = work.tally.seen.saturating_sub(1);
                    }
                    Missing::Withheld(words) => {
                        if let Some(message) = messages.get(&uid) {
                            self.tell_skipped(work, message, words);
                        }
                    }
                }
            }
            for (uids, error) in done.refused {
                if error.scope > Scope::Message {
                    return Err(error);
                }
                if let [uid] = uids.as_slice() {
                    if let Some(message) = messages.get(uid) {
                        self.tell_skipped(work, message, error.message);
                    }
                } else {
                    let batch = uids.len().div_ceil(2);
                    todo.push((uids, batch));
                }
            }
            if self.stop.is_cancelled() {
                return Err(Error::interrupted());
            }
        }
        self.locate(work, state, floor, owned).await
    }

    fn tell_skipped(&self, work: &mut Work, message: &MessageInfo, reason: String) {
        self.progress.event(Event::Skipped { folder: &work.source, uid: message.uid, reason: &reason });
        work.skip(message, reason);
    }

    /// Finds the subjects of what was skipped, by which people know their mail.
    async fn name_skipped(&mut self, work: &mut Work) -> Result<(), Error> {
        let uids: UidSet = work.tally.skipped.iter().map(|it| it.uid).collect();
        if uids.is_empty() {
            return Ok(());
        }
        let subjects: HashMap<Uid, String> = match self.source.subjects(&work.source, &uids).await {
            Ok(subjects) => subjects.into_iter().collect(),
            // The report lacks them then, and nothing else does.
            Err(error) if error.scope <= Scope::Folder => HashMap::new(),
            Err(error) => return Err(error),
        };
        for item in &mut work.tally.skipped {
            item.subject = subjects.get(&item.uid).cloned();
        }
        Ok(())
    }

    async fn floor(&mut self, work: &Work, status: &FolderStatus) -> Result<Floor, Error> {
        let uid_next = match status.uid_next {
            Some(uid_next) => uid_next,
            // Courier tells no UIDNEXT: it is one above the greatest UID.
            None => self
                .target
                .scan(&work.target, None)
                .await?
                .messages
                .last()
                .map_or(Some(Uid::FIRST), |it| Uid::new(it.uid.get().saturating_add(1)))
                .unwrap_or(Uid::FIRST),
        };
        Ok(Floor { uid_validity: status.uid_validity, uid_next })
    }

    /// Where the target folder was made anew, old target UIDs mean nothing: the records are paired with what is there.
    async fn check_target_validity(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        owned: &UidSet,
    ) -> Result<Reach, Error> {
        let Some(then) = state.record.target_validity else { return Ok(Reach::Changes) };
        let status = match self.target.status(&work.target).await {
            Err(error) if error.scope == Scope::Folder => {
                self.target.create_folder(&work.target, work.subscribe).await?;
                self.target.status(&work.target).await?
            }
            other => other?,
        };
        if status.uid_validity == then {
            return Ok(Reach::Changes);
        }
        let there = self.target.scan(&work.target, None).await?.messages;
        let sizes: HashMap<Uid, u64> = there.iter().map(|it| (it.uid, it.size)).collect();
        let uids: UidSet = there.iter().map(|it| it.uid).filter(|uid| !owned.contains(*uid)).collect();
        let right: Vec<Candidate> = if uids.is_empty() {
            Vec::new()
        } else {
            let found = self.target.fingerprints(&work.target, &uids).await?;
            found
                .into_iter()
                .map(|(uid, fingerprint)| Candidate {
                    uid,
                    fingerprint,
                    size: sizes.get(&uid).copied().unwrap_or(0),
                })
                .collect()
        };
        let done: Vec<(Uid, Copied)> = state
            .messages
            .iter()
            .filter_map(|(uid, it)| match it {
                MessageState::Done(copied) => Some((*uid, copied.clone())),
                _ => None,
            })
            .collect();
        let left: Vec<Candidate> = done
            .iter()
            .map(|(uid, it)| Candidate { uid: *uid, fingerprint: it.fingerprint, size: it.size })
            .collect();
        let pairing = pair_by_fingerprint(&left, &right, true);
        let mut pairs: BTreeMap<Uid, Uid> = pairing.sure.into_iter().collect();
        let doubtful: UidSet = pairing.doubts.iter().flat_map(|doubt| doubt.right.iter().copied()).collect();
        if !doubtful.is_empty() {
            let read: HashMap<Uid, Digests> =
                self.target.digests(&work.target, &doubtful).await?.into_iter().collect();
            let kept: HashMap<Uid, Digests> =
                done.iter().filter_map(|(uid, it)| Some((*uid, it.digests?))).collect();
            for doubt in &pairing.doubts {
                let left: Vec<_> =
                    doubt.left.iter().filter_map(|uid| Some((*uid, *kept.get(uid)?))).collect();
                let right: Vec<_> =
                    doubt.right.iter().filter_map(|uid| Some((*uid, *read.get(uid)?))).collect();
                pairs.extend(pair_by_digests(&left, &right));
            }
        }
        let folder = work.source.clone();
        let mut records =
            vec![Record::TargetValidity { folder: folder.clone(), uid_validity: status.uid_validity }];
        records.extend(done.into_iter().map(|(uid, copied)| {
            let state = pairs
                .get(&uid)
                .map(|target_uid| MessageState::Done(Copied { target_uid: Some(*target_uid), ..copied }));
            Record::Message { folder: folder.clone(), uid, state }
        }));
        work.reason += "; the target's UIDVALIDITY changed, its messages were looked up again";
        self.record(state, &records).await?;
        // Records that were lost are planned as new, which only a scan of everything shows.
        Ok(Reach::Everything)
    }

    /// Moves on the target what was moved on the source.
    async fn follow_moves(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        floor: Floor,
        owned: &UidSet,
    ) -> Result<(), Error> {
        let due: Vec<(Uid, MovedHere)> = plan
            .copy
            .iter()
            .filter_map(|it| work.moves.get(&it.uid).map(|moved| (it.uid, moved.clone())))
            .collect();
        let mut by_folder: BTreeMap<FolderPath, Vec<(Uid, MovedHere)>> = BTreeMap::new();
        for (uid, moved) in due {
            by_folder.entry(moved.from_target.clone()).or_default().push((uid, moved));
        }
        let mut untold = false;
        let mut settled = UidSet::new();
        for (from_target, moves) in by_folder {
            let pairs: HashMap<Uid, Uid> = if from_target == work.target {
                moves.iter().filter_map(|(_, it)| it.copied.target_uid).map(|uid| (uid, uid)).collect()
            } else {
                let uids: UidSet = moves.iter().map(|(uid, _)| *uid).collect();
                let intent = Record::Intended { folder: work.source.clone(), floor, uids };
                self.record(state, &[intent]).await?;
                let on_target: UidSet = moves.iter().filter_map(|(_, it)| it.copied.target_uid).collect();
                self.target.move_messages(&from_target, &work.target, &on_target).await?.into_iter().collect()
            };
            let mut records = Vec::new();
            for (uid, moved) in moves {
                work.moves.remove(&uid);
                let Some(target_uid) = moved.copied.target_uid.and_then(|old| pairs.get(&old)) else {
                    untold = true;
                    continue;
                };
                let done = MessageState::Done(Copied { target_uid: Some(*target_uid), ..moved.copied });
                records.push(forgotten(&moved.from, moved.old_uid));
                records.push(Record::Message { folder: work.source.clone(), uid, state: Some(done) });
                settled.insert(uid);
            }
            self.record(state, &records).await?;
        }
        if untold {
            // The target did not say where they went, or that they went at all: we look.
            settle(self.source, self.target, self.ledger, state, owned).await?;
            let found = plan.copy.iter().map(|it| it.uid).filter(|uid| {
                !settled.contains(*uid) && matches!(state.messages.get(uid), Some(MessageState::Done(_)))
            });
            let found: Vec<Uid> = found.collect();
            settled.extend(found);
        }
        work.tally.moved += settled.len();
        work.tally.already += settled.len();
        plan.copy.retain(|it| !settled.contains(it.uid));
        Ok(())
    }

    /// Takes as copied what the target folder holds already.
    async fn adopt(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        owned: &UidSet,
    ) -> Result<(), Error> {
        let mut owned = owned.clone();
        let ours: Vec<Uid> = state.target_uids().iter().collect();
        owned.extend(ours);
        let wanted: Vec<(Uid, u64)> = plan.copy.iter().map(|it| (it.uid, it.size)).collect();
        let found =
            find_on_target(self.source, self.target, &work.source, &work.target, &wanted, &owned, Among::All)
                .await?;
        let planned: HashMap<Uid, &MessageInfo> = plan.copy.iter().map(|it| (it.uid, it)).collect();
        let records: Vec<Record> = found
            .iter()
            .map(|it| {
                let mut copied = adopted(it, false);
                // Flags that only the target has were set there: they stay.
                if let Some(message) = planned.get(&it.uid) {
                    copied.flags = copied.flags.filtered(|name| message.flags.contains(name));
                }
                Record::Message {
                    folder: work.source.clone(),
                    uid: it.uid,
                    state: Some(MessageState::Done(copied)),
                }
            })
            .collect();
        self.record(state, &records).await?;
        let adopted: UidSet = found.iter().map(|it| it.uid).collect();
        plan.copy.retain(|it| !adopted.contains(it.uid));
        work.tally.already += found.len() as u64;
        Ok(())
    }

    /// Finds the UIDs of copies that the target acknowledged without telling where they are.
    async fn locate(
        &mut self,
        work: &Work,
        state: &mut FolderState,
        floor: Floor,
        owned: &UidSet,
    ) -> Result<(), Error> {
        let lost: Vec<(Uid, u64)> = state
            .messages
            .iter()
            .filter_map(|(uid, it)| match it {
                MessageState::Done(copied) if copied.target_uid.is_none() => Some((*uid, copied.size)),
                _ => None,
            })
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let mut owned = owned.clone();
        let ours: Vec<Uid> = state.target_uids().iter().collect();
        owned.extend(ours);
        let among = Among::Ours(floor.uid_next);
        let found =
            find_on_target(self.source, self.target, &work.source, &work.target, &lost, &owned, among)
                .await?;
        let records: Vec<Record> = found
            .iter()
            .filter_map(|it| match state.messages.get(&it.uid) {
                Some(MessageState::Done(copied)) => Some(Record::Message {
                    folder: work.source.clone(),
                    uid: it.uid,
                    state: Some(MessageState::Done(Copied {
                        target_uid: Some(it.on_target.uid),
                        ..copied.clone()
                    })),
                }),
                _ => None,
            })
            .collect();
        self.record(state, &records).await
    }

    /// Carries over what changed of flags, and only that.
    async fn store_flags(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        scan: &Scan,
    ) -> Result<(), Error> {
        let updates = plan_messages(scan, state, &self.options.filter, self.options.order).flags;
        if updates.is_empty() {
            return Ok(());
        }
        let mut changes: BTreeMap<(_, _), Vec<Uid>> = BTreeMap::new();
        for update in &updates {
            changes.entry((update.add.clone(), update.remove.clone())).or_default().push(update.target_uid);
        }
        let changes: Vec<FlagChange> = changes
            .into_iter()
            .map(|((add, remove), uids)| FlagChange { uids: uids.into_iter().collect(), add, remove })
            .collect();
        self.target.store_flags(&work.target, &changes).await?;
        work.tally.flags_changed += updates.len() as u64;
        let records: Vec<Record> = updates
            .into_iter()
            .map(|update| Record::Message {
                folder: work.source.clone(),
                uid: update.uid,
                state: Some(MessageState::Done(update.record)),
            })
            .collect();
        self.record(state, &records).await
    }

    /// Deals with what vanished and was not moved, and settles the folder.
    pub(crate) async fn finish(&mut self, work: &mut Work) -> Result<(), Error> {
        let Some(mut state) = self.ledger.folder(&work.source).await? else { return Ok(()) };
        let vanished: Vec<&(Uid, Copied)> =
            work.vanished.iter().filter(|(uid, _)| state.messages.contains_key(uid)).collect();
        if self.options.deletions == Deletions::Mirror {
            let ours: UidSet =
                vanished.iter().filter(|(_, it)| it.ours).filter_map(|(_, it)| it.target_uid).collect();
            if !ours.is_empty() {
                self.target.remove_messages(&work.target, &ours).await?;
                work.tally.removed += ours.len();
            }
        }
        let mut records: Vec<Record> =
            vanished.iter().map(|(uid, _)| forgotten(&work.source, *uid)).collect();
        if let Some(scan) = &work.scan {
            let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let cursor = Cursor {
                status: scan.status,
                skipped: number(work.tally.skipped.len() as u64),
                excluded: number(work.tally.excluded),
            };
            let rules = self.options.rules();
            records.push(Record::Settled { folder: work.source.clone(), cursor, rules });
        }
        self.record(&mut state, &records).await
    }

    /// Writes the records and learns those of this folder.
    async fn record(&self, state: &mut FolderState, records: &[Record]) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        self.ledger.record(records).await?;
        state.learn(records);
        Ok(())
    }
}

fn forgotten(folder: &FolderPath, uid: Uid) -> Record {
    Record::Message { folder: folder.clone(), uid, state: None }
}
