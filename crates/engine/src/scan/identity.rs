//! Proof that the source mailbox is that of the last pass.
//!
//! A sign-in may open another mailbox behind the same name. Its mail would be mixed into the target, and the copies of
//! the first one removed. A server may also open another folder of the same mailbox.
//!
//! Every pass compares the UIDVALIDITY of the folders. Messages are compared if a folder has a new UIDVALIDITY, uses
//! UIDs again, or has none of its known messages any more. A share of the remembered messages of all folders decides.

use mailhaul_mail::{Fingerprint, FolderPath, InternalDate, Retry, Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind, Side},
    folder::Scan,
    folder_plan::FolderPlan,
    folder_sync::job::{FolderJob, Identity},
    ledger_state::{CopyRecord, FolderState, MessageState},
    matching::records::pair_records,
    ports::{Ledger, Mailbox},
    retry::{RetryCounter, recover_from},
    survey::Survey,
};

/// Folders whose messages are compared, if UIDVALIDITY of all folders is new.
const MAX_COMPARED_FOLDERS: usize = 3;
/// Other folders that are checked for messages that they are known to hold.
const MAX_ASKED_FOLDERS: usize = 10;
/// Remembered messages of one folder that count.
const SAMPLE: usize = 20;
/// Fewer remembered messages prove nothing.
const MIN_REMEMBERED: u64 = 5;
/// The same mailbox holds at least one of this number of remembered messages.
const SHARE: u64 = 10;

/// Remembered messages that were searched for, and those that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Evidence {
    looked_for: u64,
    found: u64,
}

impl Evidence {
    /// Evidence of one folder. It counts no more than a sample, even if the folder is large.
    fn new(looked_for: usize, found: usize) -> Self {
        let (all, found) = (looked_for.max(found), found as u64);
        if all <= SAMPLE {
            return Self { looked_for: all as u64, found };
        }
        Self { looked_for: SAMPLE as u64, found: (found * SAMPLE as u64).div_ceil(all as u64) }
    }

    fn and(self, other: Self) -> Self {
        Self { looked_for: self.looked_for + other.looked_for, found: self.found + other.found }
    }

    /// True if it is the mailbox of the last pass.
    fn proves(self) -> bool {
        self.found > 0 && self.found * SHARE >= self.looked_for
    }

    /// True if it is another mailbox.
    fn refutes(self) -> bool {
        self.looked_for >= MIN_REMEMBERED && !self.proves()
    }
}

/// Compares a folder by pairs of remembered messages and current messages. Pure.
///
/// Without any pair, all remembered messages count. Else no more count than there can be.
fn weigh(remembered: usize, there: usize, pairs: usize) -> Evidence {
    match pairs {
        0 => Evidence::new(remembered, 0),
        _ => Evidence::new(remembered.min(there), pairs),
    }
}

/// True if the folder holds messages, and none of the known ones. Pure.
pub(crate) fn knows_none(state: &FolderState, scan: &Scan) -> bool {
    let mut known = state.done();
    state.rest == 0
        && scan.status.messages > 0
        && state.messages.len() as u64 >= MIN_REMEMBERED
        && known.all(|(uid, _)| !scan.present.contains(uid))
}

/// True if everything was deleted, and new mail came since. Pure.
///
/// A program may fetch mail and delete it. All UIDs are new then, and most messages arrived after all known ones.
fn is_renewed(state: &FolderState, scan: &Scan) -> bool {
    let Some(highest) = state.messages.keys().next_back() else { return false };
    let is_new = scan.status.uid_validity == state.record.uid_validity
        && scan.messages.iter().all(|it| it.uid > *highest);
    // Older records have no dates.
    let Some(newest) = state.done().filter_map(|(_, it)| it.arrived).max() else { return is_new };
    let is_later = |date: Option<InternalDate>| date.is_some_and(|it| it.unix_seconds() > newest);
    let later = scan.messages.iter().filter(|it| is_later(it.internal_date)).count();
    is_new && 2 * later > scan.messages.len()
}

/// True if the scan shows the known messages of another folder: UIDs, sizes and dates of nearly all. Pure.
fn shows(scan: &Scan, other: &FolderState) -> bool {
    let is_known = |uid: Uid, size: u64, date: Option<i64>| {
        let mut known = other.messages.get(&uid).into_iter().filter_map(|state| match state {
            MessageState::Done(copied) => Some(copied),
            _ => None,
        });
        known.any(|it| it.size == size && it.arrived.is_some() && it.arrived == date)
    };
    let date = |date: Option<InternalDate>| date.map(InternalDate::unix_seconds);
    let equal = scan.messages.iter().filter(|it| is_known(it.uid, it.size, date(it.internal_date))).count();
    scan.status.uid_validity == other.record.uid_validity
        && equal as u64 >= MIN_REMEMBERED
        && 10 * equal >= 9 * scan.messages.len()
}

/// Fails if UIDVALIDITY of all folders changed since the last pass, and none of their messages is known.
pub(crate) async fn check_identity<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    survey: &Survey,
) -> Result<(), Error> {
    let known = |plan: &&FolderPlan| {
        let record = survey.records.get(&plan.source).filter(|it| it.cursor.is_some());
        record.zip(plan.status).map(|(then, now)| then.uid_validity == now.uid_validity)
    };
    let told: Vec<(&FolderPlan, bool)> =
        survey.plans.iter().filter_map(|it| Some((it, known(&it)?))).collect();
    let has_inbox = told.iter().any(|(it, _)| it.source.is_inbox());
    if !has_inbox || told.iter().any(|(_, is_same)| *is_same) {
        return Ok(());
    }
    let mut retries = RetryCounter::default();
    loop {
        match knows_a_message(cx, told.iter().map(|(plan, _)| *plan)).await {
            Ok(true) => return Ok(()),
            Ok(false) => break,
            Err(error) => recover_from(cx, error, &mut retries).await?,
        }
    }
    let why = format!("UIDVALIDITY of all {} folders changed, and no message is known", told.len());
    Err(another_mailbox(cx, &why))
}

fn another_mailbox<M: Ports>(cx: &SyncContext<'_, M>, why: &str) -> Error {
    let words = format!(
        "source {}: this is another mailbox than in the last pass: {why}; nothing was changed. Check the user name; to \
         migrate this mailbox, start again without the ledger of the other one",
        cx.source.describe()
    );
    Error::new(Scope::Mailbox, Retry::Never, ErrorKind::Refused, words).at(Side::Source)
}

/// Fails if the messages of this folder and of the others are not those that are remembered.
///
/// Returns another scan if this one shows another folder of the mailbox.
pub(crate) async fn prove_identity<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    state: &FolderState,
    scan: &Scan,
) -> Result<Option<Scan>, Error> {
    if job.view.is_some() || (state.done().count() as u64) < MIN_REMEMBERED {
        return Ok(None);
    }
    let own = compare_remembered(cx, &job.source, state, scan).await?;
    if own == Evidence::default() {
        return Ok(None);
    }
    if job.identity == Identity::Open {
        let all = gather_evidence(cx, job, own).await?;
        if all.refutes() {
            let Evidence { looked_for, found } = all;
            let why = format!("{found} of {looked_for} remembered messages were found");
            return Err(another_mailbox(cx, &why));
        }
        if all.proves() {
            job.identity = Identity::Proved;
        }
    }
    if own.proves() || folder_shown_instead(cx, job, scan).await?.is_none() {
        return Ok(None);
    }
    let again = cx.source.scan(&job.source, None).await?;
    match folder_shown_instead(cx, job, &again).await? {
        None => Ok(Some(again)),
        Some(other) => {
            let words = format!("the server shows the messages of folder {other} in its place");
            Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, words).at(Side::Source))
        }
    }
}

/// Gathers evidence of this folder, and of others until it suffices. Folders that cannot be opened are ignored.
async fn gather_evidence<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    own: Evidence,
) -> Result<Evidence, Error> {
    let mut records = cx.ledger.folders().await?;
    records.retain(|it| it.folder != job.source && it.cursor.is_some());
    records.sort_by_key(|it| !it.folder.is_inbox());
    let (mut all, mut compared) = (own, 1);
    for record in records.iter().take(MAX_ASKED_FOLDERS) {
        if all.proves() {
            break;
        }
        let Some(state) = cx.ledger.folder(&record.folder).await? else { continue };
        let evidence = match evidence_of(cx, &state, &mut compared).await {
            Err(error) if error.scope <= Scope::Folder => Evidence::default(),
            other => other?,
        };
        all = all.and(evidence);
    }
    Ok(all)
}

/// Checks a sample of the remembered messages of a folder, and compares all messages if the sample is not found.
async fn evidence_of<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    state: &FolderState,
    compared: &mut usize,
) -> Result<Evidence, Error> {
    let folder = &state.record.folder;
    let status = cx.source.status(folder).await?;
    if status.messages == 0 {
        return Ok(Evidence::default());
    }
    if status.uid_validity == state.record.uid_validity {
        let step = (state.messages.len() / SAMPLE).max(1);
        let sample: Vec<(Uid, &CopyRecord)> = state.done().step_by(step).take(SAMPLE).collect();
        let uids: UidSet = sample.iter().map(|(uid, _)| *uid).collect();
        let there = cx.source.fingerprints(folder, &uids).await?;
        let is_known = |uid: Uid, now: Fingerprint| {
            sample.iter().any(|(known, copied)| *known == uid && copied.fingerprint == now)
        };
        let found = there.iter().filter(|(uid, now)| is_known(*uid, *now)).count();
        let evidence = Evidence::new(there.len(), found);
        if evidence.proves() {
            return Ok(evidence);
        }
    }
    if *compared >= MAX_COMPARED_FOLDERS {
        return Ok(Evidence::default());
    }
    *compared += 1;
    let scan = cx.source.scan(folder, None).await?;
    compare_remembered(cx, folder, state, &scan).await
}

/// Compares the remembered messages of a folder with all messages that it shows.
async fn compare_remembered<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    folder: &FolderPath,
    state: &FolderState,
    scan: &Scan,
) -> Result<Evidence, Error> {
    if scan.messages.is_empty() || is_renewed(state, scan) {
        return Ok(Evidence::default());
    }
    let copied: Vec<(Uid, CopyRecord)> = state.done().map(|(uid, it)| (uid, it.clone())).collect();
    let pairs = pair_records(cx.source, folder, &scan.messages, &copied, None::<(&mut M::Source, _)>).await?;
    Ok(weigh(copied.len(), scan.messages.len(), pairs.len()))
}

/// Returns the folder whose messages the scan shows in place of its own, if that folder still exists.
async fn folder_shown_instead<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    scan: &Scan,
) -> Result<Option<FolderPath>, Error> {
    for record in cx.ledger.folders().await? {
        if record.folder == job.source || record.uid_validity != scan.status.uid_validity {
            continue;
        }
        let Some(state) = cx.ledger.folder(&record.folder).await? else { continue };
        if !shows(scan, &state) {
            continue;
        }
        // After a rename, the other name is gone.
        match cx.source.status(&record.folder).await {
            Ok(status) if status.uid_validity == record.uid_validity => return Ok(Some(record.folder)),
            Err(error) if error.scope > Scope::Folder => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

/// True if a message of one of these folders was copied before, or no message ever was.
async fn knows_a_message<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    folders: impl Iterator<Item = &FolderPlan>,
) -> Result<bool, Error> {
    let mut compared = 0;
    for plan in folders {
        let Some(state) = cx.ledger.folder(&plan.source).await? else { continue };
        let copied: Vec<(Uid, CopyRecord)> = state.done().map(|(uid, it)| (uid, it.clone())).collect();
        if copied.is_empty() {
            continue;
        }
        let scan = cx.source.scan(&plan.source, None).await?;
        let pairs =
            pair_records(cx.source, &plan.source, &scan.messages, &copied, None::<(&mut M::Source, _)>)
                .await?;
        compared += 1;
        if !pairs.is_empty() {
            return Ok(true);
        }
        if compared == MAX_COMPARED_FOLDERS {
            return Ok(false);
        }
    }
    Ok(compared == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_remembered_messages_decides() {
        // One newsletter that both mailboxes have proves nothing.
        assert!(weigh(60, 31, 1).refutes() && weigh(60, 31, 0).refutes() && weigh(5, 1, 0).refutes());
        assert!(weigh(60, 60, 60).proves() && weigh(60, 2, 2).proves() && weigh(5_000, 5_000, 600).proves());
        // A few messages prove nothing.
        let few = weigh(4, 4, 0);
        assert!(!few.proves() && !few.refutes());
        // A large folder that was created again with other mail does not outweigh those that are the same.
        assert!(weigh(50_000, 50_000, 0).and(Evidence::new(20, 20)).proves());
    }
}
