//! Carrying one folder: settle, scan, plan, adopt, move, copy, flags; each step may be begun again after a failure.

pub(crate) mod adopt;
pub(crate) mod confirm;
pub(crate) mod copying;
pub(crate) mod doubles;
pub(crate) mod flag_changes;
pub(crate) mod job;
pub(crate) mod moves;
pub(crate) mod read_back;
pub(crate) mod refusals;
pub(crate) mod repair;
pub(crate) mod revalidate;
pub(crate) mod rewritten;

use std::{collections::HashMap, sync::Arc};

use mailhaul_mail::{FolderPath, Retry, Scope, Uid, UidSet};

use crate::{
    error::{Error, ErrorKind},
    folder::{Cursor, FolderStatus, MessageInfo, Present, Scan},
    folder_sync::flag_changes::Meanwhile,
    folder_sync::job::{Origin, Reach, Work, forgotten},
    ledger_state::{Copied, Floor, FolderRecord, FolderState, MessageState, Record},
    matching::on_target::{follow_new_validity, settle},
    message_plan::{MessagePlan, plan_messages},
    pass::{Deletions, Pass},
    ports::{Clock, Event, Ledger, Missing, Progress, Source, Target},
    removals::{Toll, Verdict},
    scan::counts::twin,
    scan::identity::knows_none,
    scan::remarks::remarks,
    scan::reused_uids::{contradictions, went_back},
};

/// Folders with more messages are not kept in memory between two steps.
const KEPT: usize = 100_000;

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Scans a folder of an earlier pass and finds what vanished from it. What a crash left open is settled first: the
    /// message may be in another folder by now.
    pub(crate) async fn scan_known(&mut self, work: &mut Work) -> Result<(), Error> {
        if self.scan_changes(work).await? {
            return Ok(());
        }
        let Some(mut state) = self.ledger.folder(&work.source).await? else { return Ok(()) };
        let owned = self.owned_by_others(work).await?;
        let mut reach = Reach::Changes;
        if !state.intended().is_empty() {
            reach = self.settle_known(work, &mut state, &owned).await?;
        }
        let mut scan = self.scan(work, &mut state, reach).await?;
        let mut plan = plan_messages(&scan, &state, &self.options.filter, self.options.order);
        if !plan.vanished.is_empty() {
            // They may have to be moved on the target: by UIDs that mean what they did.
            if self.settle_known(work, &mut state, &owned).await? == Reach::Everything {
                scan = self.scan(work, &mut state, Reach::Everything).await?;
            }
            plan = plan_messages(&scan, &state, &self.options.filter, self.options.order);
        }
        work.vanished = plan.vanished;
        if state.messages.len() <= KEPT {
            work.state = Some(state);
        }
        Ok(())
    }

    /// The usual case of [`Self::scan_known`] by a shorter way, which does not grow with the folder: a source that tells
    /// what changed and what vanished, nothing that vanished, and nothing that was left open. False where it is another.
    async fn scan_changes(&mut self, work: &mut Work) -> Result<bool, Error> {
        let Some(state) = self.ledger.folder_around(&work.source, &UidSet::new()).await? else {
            return Ok(false);
        };
        let record = &state.record;
        let Some(cursor) = self.usual_cursor(record) else { return Ok(false) };
        if work.origin == Origin::Departed || !state.messages.is_empty() {
            return Ok(false);
        }
        let scan = self.source.scan(&work.source, Some(&cursor)).await?;
        let is_usual = scan.status.uid_validity == record.uid_validity
            && !went_back(&cursor.status, &scan.status)
            && twin(work, &scan.status).is_none()
            && matches!(&scan.present, Present::AllBut(vanished) if vanished.is_empty());
        if !is_usual {
            return Ok(false);
        }
        let unseen = scan.unseen.iter().map(|it| it.uid);
        let changed: UidSet = scan.messages.iter().map(|it| it.uid).chain(unseen).collect();
        let state = self.ledger.folder_around(&work.source, &changed).await?;
        if state.as_ref().is_some_and(|it| !contradictions(&scan, it).is_empty()) {
            return Ok(false);
        }
        work.state = state;
        work.scan = Some(Arc::new(scan));
        Ok(true)
    }

    /// Scans all known folders for changes at once, if the source can. Reads no records of messages: a folder that turns
    /// out to need more is scanned again.
    pub(crate) async fn scan_ahead(&mut self, works: &[Work]) -> Result<(), Error> {
        let records = self.ledger.folders().await?;
        let is_wanted =
            |it: &&FolderRecord| works.iter().any(|work| work.is_known() && work.source == it.folder);
        let folders: Vec<(FolderPath, Cursor)> = records
            .iter()
            .filter(is_wanted)
            .filter_map(|it| Some((it.folder.clone(), self.usual_cursor(it)?)))
            .collect();
        if folders.is_empty() { Ok(()) } else { self.source.scan_ahead(&folders).await }
    }

    /// Returns the cursor of the folder if the last pass left nothing open and the same rules hold.
    fn usual_cursor(&self, record: &FolderRecord) -> Option<Cursor> {
        let settled = record.cursor.filter(|it| it.status.uid_validity == record.uid_validity)?;
        let is_usual = settled.skipped == 0
            && settled.excluded == 0
            && record.rules == self.options.rules(self.source)
            && record.waiting.is_none();
        is_usual.then_some(settled)
    }

    /// Brings the records in line with the target: first those of messages that are there, then what a crash left open,
    /// which is looked for among the rest. Where all messages must be seen again, the scan is forgotten.
    async fn settle_known(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        owned: &UidSet,
    ) -> Result<Reach, Error> {
        let reach = self.check_target_validity(work, state, owned).await?;
        if reach == Reach::Everything && work.origin != Origin::Departed {
            work.scan = None;
        }
        work.settled += self.settle(work, state, owned).await?;
        Ok(reach)
    }

    pub(crate) async fn settle(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        owned: &UidSet,
    ) -> Result<u64, Error> {
        if !state.intended().is_empty() {
            self.wait_until_quiet(&work.target).await?;
            if work.origin != Origin::Departed {
                // A copy that the target acknowledged is not its twin's.
                self.locate(work, state, state.record.floor, owned).await?;
            }
        }
        let repairing: Vec<Uid> = state.repairing().map(|(uid, _)| uid).collect();
        let source = (work.origin != Origin::Departed).then_some(&mut *self.source);
        let found = settle(source, self.target, self.ledger, state, owned).await?;
        for uid in repairing {
            if let Some(MessageState::Done(Copied { edited: Some(edited), .. })) = state.messages.get(&uid) {
                self.tell_repaired(work, uid, edited);
            }
        }
        Ok(found)
    }

    /// The scan, with the records brought to the source's UIDVALIDITY.
    pub(crate) async fn scan(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        reach: Reach,
    ) -> Result<Arc<Scan>, Error> {
        if let Some(scan) = &work.scan {
            return Ok(scan.clone());
        }
        let rules_hold = state.record.rules == self.rules_of(work);
        // What was skipped or left out does not change: only a scan of everything shows it again.
        let since = state
            .record
            .cursor
            .filter(|it| it.status.uid_validity == state.record.uid_validity)
            .filter(|it| reach == Reach::Changes && rules_hold && it.skipped == 0 && it.excluded == 0);
        let mut scan = self.look(work, state, since.as_ref()).await?;
        let mut is_whole = since.is_none();
        if !is_whole && self.must_show_all(work, state, &scan) {
            scan = self.look(work, state, None).await?;
            is_whole = true;
        }
        let mut why = self.why_renumbered(work, state, &scan).await?;
        if why.is_some() || knows_none(state, &scan) {
            if !is_whole {
                scan = self.look(work, state, None).await?;
            }
            if let Some(again) = self.prove_identity(work, state, &scan).await? {
                scan = again;
                why = self.why_renumbered(work, state, &scan).await?;
            }
        }
        if let Some(why) = why {
            let lost = follow_new_validity(self.source, self.ledger, state, &scan).await?;
            work.reason = format!("{}; {why}, {lost} messages could not be paired", work.reason);
        }
        let scan = Arc::new(scan);
        work.scan = Some(scan.clone());
        Ok(scan)
    }

    /// Why the UIDs of the records are not those of the messages; `None` if they are.
    async fn why_renumbered(
        &mut self,
        work: &Work,
        state: &mut FolderState,
        scan: &Scan,
    ) -> Result<Option<&'static str>, Error> {
        if scan.status.uid_validity != state.record.uid_validity {
            return Ok(Some("UIDVALIDITY changed"));
        }
        let is_reused = self.has_reused_uids(work, state, scan).await?;
        Ok(if is_reused { Some("the server uses UIDs again for other messages") } else { None })
    }

    /// Brings one folder over. To be called again after an error that a new connection may mend.
    pub(crate) async fn carry(&mut self, work: &mut Work) -> Result<(), Error> {
        let first_attempt = work.attempts == 0;
        work.attempts += 1;
        let mut state = self.open(work).await?;
        self.open_both(work, &state).await?;
        let settled = work.settled;
        let owned = self.owned_by_others(work).await?;
        let mut reach = self.settle_known(work, &mut state, &owned).await?;
        if !first_attempt {
            work.tally.copied += work.settled - settled;
        }
        // Copies that did not show in the pass that made them may lack flags, of which a scan of what changed says nothing.
        let floor = state.record.floor;
        let any_found = self.locate(work, &mut state, floor, &owned).await? > 0;
        let any_lost = self.confirm_recorded(work, &mut state, &owned).await?;
        if (any_found || any_lost) && work.origin != Origin::Departed {
            (reach, work.scan) = (Reach::Everything, None);
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
        work.unseen = plan.unseen;
        if work.tally.remarks.is_empty() {
            work.tally.remarks = remarks(&scan, &plan, self.clock.now());
        }
        // What this pass had copied may be gone again, with the folder that was made anew.
        work.tally.copied = work.tally.copied.min(plan.already);
        work.tally.already = plan.already - work.tally.copied;
        work.vanished = std::mem::take(&mut plan.vanished);
        let forget: Vec<Record> = plan.forget.iter().map(|uid| forgotten(&work.source, *uid)).collect();
        self.record(&mut state, &forget).await?;

        Box::pin(self.bring_and_flag(work, &mut state, &mut plan, &scan, &owned)).await?;
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
        if let Some(why) = &scan.incomplete {
            return Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, why));
        }
        self.progress.event(Event::FolderDone { folder: &work.source, tally: &work.tally });
        Ok(())
    }

    /// Copies new messages, and changes flags of earlier copies. The changes are sent while the target waits for bodies.
    async fn bring_and_flag(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        scan: &Scan,
        owned: &UidSet,
    ) -> Result<(), Error> {
        let flags = self.intend_flags(work, state, scan).await?;
        if plan.copy.is_empty() {
            return self.store_flags(work, state, flags, None).await;
        }
        // In a directory there is nothing to wait for, and another program writes its keywords at the same time.
        let is_local = self.target.habits().is_local;
        let mut meanwhile = if is_local { Meanwhile::default() } else { Meanwhile::new(&flags) };
        let brought = Box::pin(self.bring(work, state, plan, owned, &mut meanwhile)).await;
        let outcome = meanwhile.into_outcome();
        if brought.is_err() && !matches!(outcome, Some(Ok(()))) {
            return brought;
        }
        self.store_flags(work, state, flags, outcome).await?;
        brought?;
        // Adopted messages may lack flags.
        let flags = self.intend_flags(work, state, scan).await?;
        self.store_flags(work, state, flags, None).await
    }

    /// Opens both folders at once, where the scan shows that there is something to write.
    async fn open_both(&mut self, work: &mut Work, state: &FolderState) -> Result<(), Error> {
        work.target_status = None;
        if !work.shows_changes() {
            return Ok(());
        }
        // Before the first look: what another pass sends after it would not be found.
        self.ledger.reserve_target(&self.target.owner()).await?;
        let has_news = work.shows_new_messages(state);
        let (source, target) = (&mut *self.source, &mut *self.target);
        let prepared = async { if has_news { source.prepare(&work.source).await } else { Ok(()) } };
        let (prepared, opened) = futures_util::join!(prepared, target.open_to_write(&work.target));
        match opened {
            Ok(status) => work.target_status = Some(status),
            // It may be missing: then it is made.
            Err(error) if error.scope <= Scope::Folder => {}
            Err(error) => return Err(error),
        }
        prepared
    }

    /// The folder's state, with its place written down.
    pub(crate) async fn open(&mut self, work: &mut Work) -> Result<FolderState, Error> {
        let known = match work.state.take() {
            Some(state) => Some(state),
            None => self.ledger.folder(&work.source).await?,
        };
        if let Some(state) = known
            && state.record.target == work.target
        {
            return Ok(state);
        }
        let uid_validity = if let Some(scan) = &work.scan {
            scan.status.uid_validity
        } else {
            let scan = self.source.scan(&work.source, None).await?;
            let scan = Arc::new(self.check_count(work, scan).await?);
            work.scan.insert(scan).status.uid_validity
        };
        let (folder, target) = (work.source.clone(), work.target.clone());
        let opened = Record::Opened { folder: folder.clone(), target: target.clone(), uid_validity };
        self.ledger.record(std::slice::from_ref(&opened)).await?;
        Ok(FolderState::opened(folder, target, uid_validity))
    }

    /// Skips before they are read what the target would refuse for its size. The size that the source tells may be an
    /// estimate: where it is near the limit, the octets decide.
    pub(crate) fn leave_out_too_large(&self, work: &mut Work, plan: &mut MessagePlan) {
        let Some(limit) = self.target.largest(&work.target) else { return };
        let (copy, too_large) = std::mem::take(&mut plan.copy)
            .into_iter()
            .partition(|it| it.size <= limit.saturating_add(limit / 4));
        plan.copy = copy;
        let too_large: Vec<MessageInfo> = too_large;
        for message in too_large {
            let reason = format!(
                "the source tells a size of {} octets, and the target takes {limit} octets at most",
                message.size
            );
            self.tell_skipped(work, &message, reason);
        }
    }

    /// What the source did not give is gone, or skipped with its words.
    pub(crate) fn tell_missing(&self, work: &mut Work, message: &MessageInfo, missing: Missing) {
        match missing {
            Missing::Gone => {
                work.gone.insert(message.uid);
                work.tally.seen = work.tally.seen.saturating_sub(1);
            }
            Missing::Withheld(words) => self.tell_skipped(work, message, words),
        }
    }

    pub(crate) fn tell_skipped(&self, work: &mut Work, message: &MessageInfo, reason: String) {
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

    pub(crate) async fn floor(&mut self, work: &Work, status: &FolderStatus) -> Result<Floor, Error> {
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

    /// Deals with what vanished and was not moved, and settles the folder.
    pub(crate) async fn finish(&mut self, work: &mut Work, toll: Toll) -> Result<(), Error> {
        let mut verdict = Verdict::default();
        if !work.vanished.is_empty() {
            // Some may have come up in another folder meanwhile.
            let state = self.ledger.folder(&work.source).await?;
            work.vanished.retain(|(uid, _)| state.as_ref().is_some_and(|it| it.messages.contains_key(uid)));
            verdict = self.judge_removals(work, state.as_ref(), toll);
        }
        let mut vanished = std::mem::take(&mut work.vanished);
        vanished.retain(|(uid, _)| verdict.settled.contains(*uid));
        if self.options.deletions == Deletions::Mirror {
            let ours: Vec<(Uid, Copied)> = vanished.iter().filter(|(_, it)| it.ours).cloned().collect();
            let by_headers = self.proved_ours(work, &ours).await?;
            let ours = self.with_same_bytes(work, &ours, by_headers).await?;
            if !ours.is_empty() {
                self.target.remove_messages(&work.target, &ours).await?;
                work.tally.removed += ours.len();
            }
        }
        let mut records: Vec<Record> =
            vanished.iter().map(|(uid, _)| forgotten(&work.source, *uid)).collect();
        if let Some(waiting) = verdict.waiting {
            records.push(Record::Waiting { folder: work.source.clone(), waiting });
        } else if let Some(scan) = &work.scan {
            let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let cursor = Cursor {
                status: scan.status,
                skipped: number(work.tally.skipped.len() as u64 + work.unseen),
                excluded: number(work.tally.excluded),
            };
            let rules = self.rules_of(work);
            let target_next = work.target_next();
            records.push(Record::Settled { folder: work.source.clone(), cursor, rules, target_next });
        }
        if records.is_empty() { Ok(()) } else { self.ledger.record(&records).await }
    }

    /// Writes the records and learns those of this folder.
    pub(crate) async fn record(&self, state: &mut FolderState, records: &[Record]) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        self.ledger.record(records).await?;
        state.learn(records);
        Ok(())
    }
}
