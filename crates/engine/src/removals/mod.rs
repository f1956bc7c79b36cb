//! Removal of copies whose messages the source does not show any more.
//!
//! Invariant: one odd answer of a server must not empty the target. Some removals wait until a second pass, at least
//! an hour later, misses the messages too, or until the administrator confirms. These are: all of a folder that
//! vanished or became empty, more than a share of the mailbox, and more than a share of one folder. Until then
//! their records stay.

pub(crate) mod departed;
pub(crate) mod proof;

use std::collections::HashMap;

use mailhaul_mail::{Fingerprint, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder_sync::job::{FolderHistory, FolderJob},
    ledger_state::{CopyRecord, FolderState, WaitingDeletions},
    options::{DeletionPolicy, RemovalRules},
    ports::{Clock, Event, Ledger, Mailbox, Progress},
};

/// Seconds between two passes that miss the same messages.
const SECONDS_BETWEEN_PASSES: u64 = 3_600;
/// Share of one folder that one pass removes, if the share of the mailbox is not larger.
const FOLDER_PERCENT: u8 = 50;

/// Vanished messages of all folders of a mailbox, in relation to all copies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VanishedCopies {
    /// Copies that one pass would remove.
    vanished: u64,
    /// Copies that the ledger knows.
    known: u64,
}

impl VanishedCopies {
    /// True if one pass does not decide about so large a part.
    fn exceeds(self, rules: &RemovalRules) -> bool {
        let share = self.known.saturating_mul(u64::from(rules.percent)) / 100;
        self.vanished > rules.messages.max(share)
    }
}

impl RemovalRules {
    /// The rules for one folder, of which a larger share may be removed.
    fn for_folder(self) -> Self {
        Self { percent: self.percent.max(FOLDER_PERCENT), ..self }
    }
}

/// Decision of one pass about the vanished messages of a folder. Pure.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RemovalDecision {
    /// Messages whose copies may be removed now.
    pub(crate) settled: UidSet,
    /// Messages that wait.
    pub(crate) waiting: Option<WaitingDeletions>,
}

/// `is_doubtful`: one pass does not decide. `before`: messages that wait since an earlier pass.
fn decide(
    vanished: &UidSet,
    before: Option<&WaitingDeletions>,
    is_doubtful: bool,
    now: u64,
) -> RemovalDecision {
    if !is_doubtful {
        return RemovalDecision { settled: vanished.clone(), waiting: None };
    }
    let still = |it: &WaitingDeletions| it.uids.without(&it.uids.without(vanished));
    let Some(still) = before.map(still).filter(|it| !it.is_empty()) else {
        return RemovalDecision {
            settled: UidSet::new(),
            waiting: Some(WaitingDeletions { since: now, uids: vanished.clone() }),
        };
    };
    let since = before.map_or(now, |it| it.since);
    if now < since.saturating_add(SECONDS_BETWEEN_PASSES) {
        return RemovalDecision {
            settled: UidSet::new(),
            waiting: Some(WaitingDeletions { since, uids: still }),
        };
    }
    let rest = vanished.without(&still);
    let waiting = (!rest.is_empty()).then_some(WaitingDeletions { since: now, uids: rest });
    RemovalDecision { settled: still, waiting }
}

/// Counts messages that vanished from the folders, before any copy is removed.
pub(crate) async fn count_vanished<M: Ports>(
    cx: &SyncContext<'_, M>,
    jobs: &[FolderJob],
) -> Result<VanishedCopies, Error> {
    if cx.options.deletions == DeletionPolicy::Keep || jobs.iter().all(|it| it.vanished.is_empty()) {
        return Ok(VanishedCopies::default());
    }
    let mut vanished_copies = VanishedCopies::default();
    for job in jobs {
        vanished_copies.vanished += job.vanished.iter().filter(|(_, it)| it.ours).count() as u64;
    }
    for record in cx.ledger.folders().await? {
        let state = cx.ledger.folder_around(&record.folder, &UidSet::new()).await?;
        vanished_copies.known += state.map_or(0, |it| it.rest + it.done().count() as u64);
    }
    Ok(vanished_copies)
}

/// Decides which of the folder's vanished messages are handled now.
pub(crate) fn judge_removals<M: Ports>(
    cx: &SyncContext<'_, M>,
    job: &mut FolderJob,
    state: Option<&FolderState>,
    vanished_copies: VanishedCopies,
) -> RemovalDecision {
    let vanished: UidSet = job.vanished.iter().map(|(uid, _)| *uid).collect();
    let rules = &cx.options.removals;
    let is_emptied = job.scan.as_ref().is_some_and(|it| it.status.messages == 0);
    let is_removed =
        cx.options.deletions == DeletionPolicy::Mirror && job.vanished.iter().any(|(_, it)| it.ours);
    let in_folder = VanishedCopies {
        vanished: job.vanished.iter().filter(|(_, it)| it.ours).count() as u64,
        known: state.map_or(0, |it| it.rest + it.done().count() as u64),
    };
    let why = if job.history == FolderHistory::Departed {
        Some("the source does not list the folder any more".to_owned())
    } else if is_emptied {
        Some("the source shows no message in the folder any more".to_owned())
    } else if vanished_copies.exceeds(rules) {
        let RemovalRules { percent, messages, .. } = rules;
        Some(format!(
            "one pass removes at most {percent} percent of the copies, or {messages} if that is more"
        ))
    } else if in_folder.exceeds(&rules.for_folder()) {
        let RemovalRules { percent, messages, .. } = rules.for_folder();
        Some(format!(
            "one pass removes at most {percent} percent of a folder's copies, or {messages} if that is more"
        ))
    } else {
        None
    };
    let why = why.filter(|_| is_removed && !rules.is_confirmed);
    let before = state.and_then(|it| it.record.waiting.as_ref());
    let decision = decide(&vanished, before, why.is_some(), cx.clock.now().as_secs());
    if let Some((waiting, why)) = decision.waiting.as_ref().zip(why) {
        let count = waiting.uids.len();
        let copies = if count == 1 { "1 copy is".to_owned() } else { format!("{count} copies are") };
        job.tally.waiting = count;
        let words = format!(
            "{copies} not removed yet: {why}; a pass an hour later that does not see them either removes them, or \
             confirm the deletions"
        );
        cx.progress.event(Event::Waiting { folder: job.source(), words: &words });
        job.tally.remarks.push(words);
    }
    decision
}

/// Returns the copies that have the headers of their record. A UID may be that of another message.
pub(crate) async fn proved_ours<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    copies: &[(Uid, CopyRecord)],
) -> Result<UidSet, Error> {
    let uids: UidSet = copies.iter().filter_map(|(_, it)| it.target_uid).collect();
    if uids.is_empty() {
        return Ok(uids);
    }
    let there: HashMap<Uid, Fingerprint> =
        cx.target.fingerprints(&job.target, &uids).await?.into_iter().collect();
    let is_ours = |it: &CopyRecord| {
        let uid = it.target_uid?;
        (there.get(&uid)? == &it.as_copy().fingerprint).then_some(uid)
    };
    let proved: UidSet = copies.iter().filter_map(|(_, it)| is_ours(it)).collect();
    let others = there.keys().filter(|uid| !proved.contains(**uid)).count();
    if others > 0 {
        job.tally.remarks.push(format!(
            "{others} messages on the target are left, which have the UIDs of copies that are to be removed, and other \
             headers"
        ));
    }
    Ok(proved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uids(text: &str) -> UidSet {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_of_a_mailbox_is_not_decided_by_one_pass() {
        let exceeds =
            |rules: RemovalRules, vanished, known| VanishedCopies { vanished, known }.exceeds(&rules);
        let usual = RemovalRules::default();
        assert!(!exceeds(usual, 10, 60) && exceeds(usual, 11, 60));
        assert!(!exceeds(usual, 20, 200) && exceeds(usual, 21, 200));
        assert!(!exceeds(usual, 1_000, 10_000) && exceeds(usual, 1_001, 10_000));
        let none = RemovalRules { percent: 0, messages: 0, is_confirmed: false };
        assert!(!exceeds(none, 0, 200) && exceeds(none, 1, 200));
        let all = RemovalRules { percent: 100, ..none };
        assert!(!exceeds(all, 200, 200));
    }

    #[test]
    fn most_of_a_folder_is_not_decided_by_one_pass() {
        let exceeds = |rules: RemovalRules, vanished, known| {
            VanishedCopies { vanished, known }.exceeds(&rules.for_folder())
        };
        let usual = RemovalRules::default();
        assert!(!exceeds(usual, 30, 60) && exceeds(usual, 31, 60) && !exceeds(usual, 10, 11));
        assert!(!exceeds(RemovalRules { percent: 100, ..usual }, 60, 60));
    }

    #[test]
    fn copies_that_two_passes_miss_are_removed_after_an_hour() {
        let waiting = |since, set| WaitingDeletions { since, uids: uids(set) };
        let first = decide(&uids("1:9"), None, true, 1_000);
        assert_eq!(first, RemovalDecision { settled: UidSet::new(), waiting: Some(waiting(1_000, "1:9")) });
        let before = waiting(1_000, "1:9");
        // Too early, and some came back.
        let early = decide(&uids("3:9"), Some(&before), true, 4_599);
        assert_eq!(early, RemovalDecision { settled: UidSet::new(), waiting: Some(waiting(1_000, "3:9")) });
        let late = decide(&uids("3:12"), Some(&before), true, 4_600);
        assert_eq!(late, RemovalDecision { settled: uids("3:9"), waiting: Some(waiting(4_600, "10:12")) });
        // All came back, and others vanished.
        let others = decide(&uids("10:12"), Some(&before), true, 9_000);
        assert_eq!(
            others,
            RemovalDecision { settled: UidSet::new(), waiting: Some(waiting(9_000, "10:12")) }
        );
        assert_eq!(decide(&uids("3"), None, false, 0), RemovalDecision { settled: uids("3"), waiting: None });
    }
}
