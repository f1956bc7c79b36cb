//! State of one folder during a pass.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use mailhaul_mail::{FolderPath, Retry, Scope, Uid, UidSet, UidValidity};

use crate::{
    error::{Error, ErrorKind},
    folder::{FolderStatus, MessageInfo, Present, Scan},
    folder_plan::FolderPlan,
    folder_sync::{refusals::Refusals, resends::Resends},
    ledger_state::{AppendStart, CopyRecord, FolderRecord, FolderState, LedgerRecord},
    ports::NewFolder,
    report::{FolderReport, FolderTally, RepairedItem, SkippedItem},
    scan::remainder::View,
};

/// Extent of a scan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanScope {
    /// Messages that changed since the last settled pass.
    Changes,
    Everything,
}

/// Knowledge of a folder when the pass begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FolderHistory {
    /// The ledger has no record, or a record of another target folder.
    New,
    /// An earlier pass copied it.
    Known,
    /// An earlier pass copied it, and the source does not have it any more.
    Departed,
}

/// Proof that the mailbox is that of the last pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// No message was compared yet, or too few.
    Open,
    /// A share of the remembered messages is there.
    Proved,
}

/// Maximum changes of UIDVALIDITY in one pass. A server that exceeds it will not stop.
const MAX_UIDVALIDITY_CHANGES: u32 = 2;

/// State of one folder during a pass.
pub(crate) struct FolderJob {
    pub(crate) source: FolderPath,
    pub(crate) target: FolderPath,
    subscribe: bool,
    pub(crate) reason: String,
    /// Messages of the source folder, as listed.
    listed: u64,
    pub(crate) history: FolderHistory,
    attempts: u32,
    /// Changes of UIDVALIDITY in this pass.
    renumbered: u32,
    /// The target folder's UIDVALIDITY of the last pass, if it is another now.
    pub(crate) old_target_validity: Option<UidValidity>,
    pub(crate) scan: Option<Arc<Scan>>,
    /// State of the target folder, if it was just read and nothing was sent since.
    pub(crate) target_status: Option<FolderStatus>,
    /// Ledger state of the folder, if it was just read and nothing was written since.
    pub(crate) state: Option<FolderState>,
    pub(crate) moves: BTreeMap<Uid, MovedMessage>,
    pub(crate) vanished: Vec<(Uid, CopyRecord)>,
    /// Messages that this pass skipped, with the reason.
    pub(crate) skipped: BTreeMap<Uid, String>,
    /// Messages that the target refused alone, with its words. It may accept them after a repair.
    pub(crate) refused: BTreeMap<Uid, String>,
    pub(crate) gone: UidSet,
    pub(crate) refusals: Refusals,
    pub(crate) resends: Resends,
    /// Messages for which the source returned another message's bytes.
    pub(crate) mistaken: HashSet<Uid>,
    /// The highest UID that the target showed at the last comparison.
    shown_until: Option<Uid>,
    /// The target folder's UIDNEXT before anything was sent. The ledger has it only if something was sent.
    next_before_append: Option<Uid>,
    /// Copies whose flags the source did not show. Only a full scan shows them again.
    pub(crate) unseen: u64,
    /// The target had time to store what an earlier process may have left on the wire.
    pub(crate) has_waited: bool,
    /// Messages with an unknown outcome that were found on the target.
    pub(crate) recovered: u64,
    is_done: bool,
    pub(crate) identity: Identity,
    /// State of the mailbox's folders, as listed.
    pub(crate) listing: Arc<[(FolderPath, FolderStatus)]>,
    /// Set for a view: only messages that are in no other folder are copied.
    pub(crate) view: Option<View>,
    /// The folder's name on the target, and the reason for it.
    target_note: Option<String>,
    pub(crate) tally: FolderTally,
    error: Option<Error>,
}

impl FolderJob {
    pub(crate) fn new(plan: FolderPlan, target: FolderPath, why: &str, known: bool) -> Self {
        Self {
            source: plan.source,
            target,
            subscribe: plan.subscribe,
            reason: format!("{}; {why}", plan.reason),
            listed: plan.status.map_or(0, |it| u64::from(it.messages)),
            history: if known { FolderHistory::Known } else { FolderHistory::New },
            attempts: 0,
            renumbered: 0,
            old_target_validity: None,
            scan: None,
            target_status: None,
            state: None,
            moves: BTreeMap::new(),
            vanished: Vec::new(),
            skipped: BTreeMap::new(),
            refused: BTreeMap::new(),
            gone: UidSet::new(),
            refusals: Refusals::default(),
            resends: Resends::default(),
            mistaken: HashSet::new(),
            shown_until: None,
            next_before_append: None,
            unseen: 0,
            has_waited: false,
            recovered: 0,
            is_done: false,
            identity: Identity::Open,
            listing: Arc::default(),
            view: None,
            target_note: None,
            tally: FolderTally::default(),
            error: None,
        }
    }

    /// A view, of which only messages in no other folder are copied.
    pub(crate) fn for_view(plan: FolderPlan, target: FolderPath, why: &str, view: View, known: bool) -> Self {
        Self { view: Some(view), listed: 0, ..Self::new(plan, target, why, known) }
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
        let mut job = Self::new(plan, record.target, "the source does not have it any more", true);
        job.history = FolderHistory::Departed;
        let status = FolderStatus {
            messages: 0,
            uid_validity: record.uid_validity,
            uid_next: None,
            highest_modseq: None,
        };
        job.scan = Some(Arc::new(Scan::whole(status, Vec::new(), Present::These(UidSet::new()))));
        job
    }

    /// The target refused the name, and accepted this one.
    pub(crate) fn rename(&mut self, target: FolderPath, error: &Error) {
        let why = format!("the target refused the name \"{}\" ({error})", self.target);
        self.replace(target, &why);
    }

    /// Sets another target folder.
    pub(crate) fn replace(&mut self, target: FolderPath, why: &str) {
        self.reason = format!("{}; {why}", self.reason);
        self.target = target;
    }

    /// Sets another target folder because the target has another folder of that name. The report names it.
    pub(crate) fn set_separate(&mut self, target: FolderPath, why: &str) {
        self.target_note = Some(format!("the folder is \"{target}\" on the target: {why}"));
        self.replace(target, why);
    }

    /// The folder to create on the target.
    pub(crate) fn new_folder(&self) -> NewFolder {
        NewFolder { path: self.target.clone(), subscribe: self.subscribe }
    }

    pub(crate) fn shows_changes(&self) -> bool {
        self.history == FolderHistory::Known
            && self.scan.as_ref().is_some_and(|scan| !scan.messages.is_empty())
    }

    /// True if the scan shows messages without a ledger record.
    pub(crate) fn shows_new_messages(&self, state: &FolderState) -> bool {
        let is_new = |message: &MessageInfo| !state.messages.contains_key(&message.uid);
        self.scan.as_ref().is_some_and(|scan| scan.messages.iter().any(is_new))
    }

    /// Counts an attempt. True for the first one.
    pub(crate) fn begin_attempt(&mut self) -> bool {
        self.attempts += 1;
        self.attempts == 1
    }

    /// Notes the highest UID that the target shows.
    pub(crate) fn note_shown(&mut self, highest: Option<Uid>) {
        self.shown_until = highest.max(self.shown_until);
    }

    /// Notes the target folder's UIDNEXT before the first APPEND.
    pub(crate) fn note_append_start(&mut self, append_start: AppendStart) {
        self.next_before_append = Some(append_start.uid_next);
    }

    /// All messages of the folder are handled, except those that vanished.
    pub(crate) fn set_done(&mut self) {
        self.is_done = true;
    }

    pub(crate) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    pub(crate) fn is_known(&self) -> bool {
        !self.is_new()
    }

    pub(crate) fn is_new(&self) -> bool {
        self.history == FolderHistory::New
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

    /// Forgets what was read of the folder, because its UIDVALIDITY changed. False if that happened too often.
    pub(crate) fn start_again(&mut self) -> bool {
        self.renumbered += 1;
        // The scan of a departed folder is empty, and stays so.
        if self.history != FolderHistory::Departed {
            self.scan = None;
        }
        self.state = None;
        self.moves.clear();
        self.refused.clear();
        self.shown_until = None;
        self.next_before_append = None;
        self.renumbered <= MAX_UIDVALIDITY_CHANGES
    }

    /// The target folder's UIDNEXT as far as it is known, if something was sent.
    pub(crate) fn target_next(&self) -> Option<Uid> {
        self.after_shown().max(self.next_before_append)
    }

    /// The UID after the highest one that the target showed.
    fn after_shown(&self) -> Option<Uid> {
        self.shown_until.and_then(|uid| Uid::new(uid.get().saturating_add(1)))
    }

    pub(crate) fn next_unshown(&self, append_start: AppendStart) -> Uid {
        self.after_shown().unwrap_or(append_start.uid_next).max(append_start.uid_next)
    }

    /// Progress that need not be repeated: a number that only grows.
    pub(crate) fn progress(&self) -> u64 {
        self.tally.copied + self.tally.moved + self.tally.flags_changed + self.skipped.len() as u64
    }

    pub(crate) fn into_report(mut self) -> FolderReport {
        let mut error = self.error;
        if error.is_none() && self.is_done && !self.tally.closes() {
            let t = &self.tally;
            let message = format!(
                "the sums do not close: {} seen, {} copied, {} already there, {} left out, {} skipped",
                t.seen,
                t.copied,
                t.already,
                t.excluded,
                t.skipped.len()
            );
            error = Some(Error::new(Scope::Folder, Retry::Now, ErrorKind::Internal, message));
        }
        // A view without messages of its own has no target folder.
        let is_left_out = self.view.is_some() && self.tally == FolderTally::default();
        self.tally.remarks.extend(self.target_note);
        FolderReport {
            source: self.source,
            target: (!is_left_out).then_some(self.target),
            reason: self.reason,
            tally: self.tally,
            error,
        }
    }

    /// Adds a message with an edited copy to the report, once.
    pub(crate) fn name_repaired(&mut self, item: RepairedItem) {
        if self.tally.repaired.iter().all(|it| it.uid != item.uid) {
            self.tally.repaired.push(item);
        }
    }

    pub(crate) fn skip(&mut self, message: &MessageInfo, reason: String) {
        self.tally.skipped.push(SkippedItem {
            uid: message.uid,
            subject: None,
            sender: None,
            sent: None,
            internal_date: message.internal_date,
            size: message.size,
            reason: reason.clone(),
        });
        self.skipped.insert(message.uid, reason);
    }
}

/// The part of the target folder in which copies of a job can be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CopyBounds<'a> {
    pub(crate) append_start: AppendStart,
    /// Target UIDs that belong to messages of other source folders.
    pub(crate) owned: &'a UidSet,
}

/// The record that deletes a message from the ledger.
pub(crate) fn deletion_record(folder: &FolderPath, uid: Uid) -> LedgerRecord {
    LedgerRecord::Message { folder: folder.clone(), uid, state: None }
}

/// A message that vanished from one folder and appeared in another.
#[derive(Clone, Debug)]
pub(crate) struct MovedMessage {
    pub(crate) from: FolderPath,
    pub(crate) from_target: FolderPath,
    pub(crate) old_uid: Uid,
    pub(crate) copied: CopyRecord,
}
