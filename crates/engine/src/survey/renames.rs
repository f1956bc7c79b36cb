//! Folders that were renamed on the source are renamed on the target.
//!
//! A departed folder and a new one are the same if UIDVALIDITY is equal and the new one has all known messages, with
//! their UIDs, sizes and fingerprints. UIDVALIDITY alone is no proof: some servers give every folder the same one.
//!
//! Crash safety: nothing is recorded before RENAME. After a crash, the target has the new name and not the old one,
//! with the messages that the ledger knows. Then only the record is missing.

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::{Fingerprint, FolderPath, Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_plan::{FolderPlan, REMAINDER},
    ledger_state::{CopyRecord, FolderRecord, FolderState, LedgerRecord},
    ports::{Ledger, Mailbox, NewFolder, Target},
    retry::{RetryCounter, recover_from},
    survey::{Survey, survey},
};

/// A folder under its old name and its new one.
struct RenamedFolder {
    record: FolderRecord,
    plan: FolderPlan,
    /// Its new name on the target.
    target: FolderPath,
}

/// Surveys the mailbox after renamed folders were followed.
pub(crate) async fn survey_with_renames<M: Ports>(cx: &mut SyncContext<'_, M>) -> Result<Survey, Error> {
    let mut retries = RetryCounter::default();
    loop {
        let survey = survey_with_retries(cx).await?;
        match follow_renames(cx, &survey).await {
            Ok(false) => return Ok(survey),
            Ok(true) => return survey_with_retries(cx).await,
            Err(error) => recover_from(cx, error, &mut retries).await?,
        }
    }
}

/// Returns true if any folder was renamed. Other renames are handled as moves of messages.
async fn follow_renames<M: Ports>(cx: &mut SyncContext<'_, M>, survey: &Survey) -> Result<bool, Error> {
    // With labels as folders, the content of a folder depends on other folders.
    if survey.departed.is_empty() || !cx.source.view().is_empty() {
        return Ok(false);
    }
    let renamed = find_renamed(cx, survey).await?;
    let mut there: BTreeSet<FolderPath> = survey.target.iter().map(|it| it.path.clone()).collect();
    let mut has_followed = false;
    for it in renamed.iter().filter(|it| can_follow(it, &renamed, survey)) {
        let from = &it.record.target;
        let is_done = match (there.contains(from), there.contains(&it.target)) {
            _ if *from == it.target => true,
            (true, false) => rename_on_target(cx, it, &mut there).await?,
            (false, true) => was_renamed_on_target(cx, it).await?,
            _ => false,
        };
        if is_done {
            let (folder, to) = (it.record.folder.clone(), it.plan.source.clone());
            cx.ledger.record(&[LedgerRecord::Renamed { folder, to, target: it.target.clone() }]).await?;
            has_followed = true;
        }
    }
    Ok(has_followed)
}

/// Pairs departed folders with new folders, parents first.
async fn find_renamed<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    survey: &Survey,
) -> Result<Vec<RenamedFolder>, Error> {
    let mut renamed: Vec<RenamedFolder> = Vec::new();
    for record in survey.departed.iter().filter(|it| it.append_start.is_none()) {
        let is_used =
            |it: &FolderPlan, renamed: &[RenamedFolder]| renamed.iter().any(|other| other.plan == *it);
        for plan in &survey.plans {
            let Some(target) = plan.target.clone().filter(|_| may_be(record, plan, survey)) else {
                continue;
            };
            if !is_used(plan, &renamed) && is_same_folder(cx, record, &plan.source).await? {
                renamed.push(RenamedFolder { record: record.clone(), plan: plan.clone(), target });
                break;
            }
        }
    }
    renamed.sort_by(|a, b| a.record.target.cmp(&b.record.target));
    Ok(renamed)
}

async fn is_same_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    record: &FolderRecord,
    folder: &FolderPath,
) -> Result<bool, Error> {
    let Some(state) = cx.ledger.folder(&record.folder).await? else { return Ok(false) };
    if state.done().next().is_none() || !state.intended().is_empty() {
        return Ok(false);
    }
    let looked = async {
        let scan = cx.source.scan(folder, None).await?;
        let there: BTreeMap<Uid, &MessageInfo> = scan.messages.iter().map(|it| (it.uid, it)).collect();
        let is_there =
            |(uid, copied): (Uid, &CopyRecord)| there.get(&uid).is_some_and(|it| it.size == copied.size);
        if scan.status.uid_validity != record.uid_validity || !state.done().all(is_there) {
            return Ok(false);
        }
        let uids: UidSet = state.done().map(|(uid, _)| uid).collect();
        let shown: BTreeMap<Uid, Fingerprint> =
            cx.source.fingerprints(folder, &uids).await?.into_iter().collect();
        Ok(state.done().all(|(uid, copied)| shown.get(&uid) == Some(&copied.fingerprint)))
    };
    unless_refused(looked.await)
}

async fn rename_on_target<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    renamed: &RenamedFolder,
    there: &mut BTreeSet<FolderPath>,
) -> Result<bool, Error> {
    let from = &renamed.record.target;
    let to = NewFolder { path: renamed.target.clone(), subscribe: renamed.plan.subscribe };
    let is_renamed = unless_refused(cx.target.rename_folder(from, &to).await.map(|()| true))?;
    if is_renamed {
        let moved = |path: &FolderPath| moved(path, from, &renamed.target).unwrap_or_else(|| path.clone());
        *there = there.iter().map(moved).collect();
    }
    Ok(is_renamed)
}

/// True if the folder of the new name has the messages: an earlier RENAME succeeded.
async fn was_renamed_on_target<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    renamed: &RenamedFolder,
) -> Result<bool, Error> {
    let Some(state) = cx.ledger.folder(&renamed.record.folder).await? else { return Ok(false) };
    let looked = async {
        let status = cx.target.status(&renamed.target).await?;
        if Some(status.uid_validity) != renamed.record.target_validity {
            return Ok(false);
        }
        let shown: BTreeMap<Uid, Fingerprint> =
            cx.target.fingerprints(&renamed.target, &state.target_uids()).await?.into_iter().collect();
        Ok(!shown.is_empty() && are_equal(&state, &shown))
    };
    unless_refused(looked.await)
}

/// True if every shown message is the one that the ledger knows under its UID.
fn are_equal(state: &FolderState, shown: &BTreeMap<Uid, Fingerprint>) -> bool {
    let is_equal = |(_, copied): (Uid, &CopyRecord)| {
        let it = copied.target_uid.and_then(|uid| shown.get(&uid));
        it.is_none_or(|it| *it == copied.as_copy().fingerprint)
    };
    state.done().all(is_equal)
}

/// True if the listing does not rule out that the new folder is the departed one.
fn may_be(record: &FolderRecord, plan: &FolderPlan, survey: &Survey) -> bool {
    let (Some(status), Some(cursor)) = (&plan.status, &record.cursor) else { return false };
    !survey.records.contains_key(&plan.source)
        && survey.views.contains(&plan.source) == record.rules.ends_with(REMAINDER)
        && status.uid_validity == record.uid_validity
        && status.uid_next >= cursor.status.uid_next
}

/// True if RENAME would affect only this folder and those that move with it.
fn can_follow(it: &RenamedFolder, renamed: &[RenamedFolder], survey: &Survey) -> bool {
    let (from, to) = (&it.record.target, &it.target);
    let goes_along = |other: &FolderRecord| {
        let wanted = moved(&other.target, from, to);
        renamed.iter().any(|it| it.record.folder == other.folder && Some(&it.target) == wanted.as_ref())
    };
    let others = || survey.records.values().filter(|other| other.folder != it.record.folder);
    let is_free = || {
        others().all(|other| other.target != *to && other.target != *from)
            && others().filter(|other| other.target.is_within(from)).all(goes_along)
    };
    // If both names have one target folder, nothing is renamed there.
    from == to || (!from.is_inbox() && !to.is_inbox() && !to.is_within(from) && is_free())
}

/// Returns the path of a folder after it, or one above it, was renamed.
fn moved(path: &FolderPath, from: &FolderPath, to: &FolderPath) -> Option<FolderPath> {
    let rest = path.segments().strip_prefix(from.segments())?;
    Some(FolderPath::new(to.segments().iter().chain(rest).cloned()))
}

/// A refused folder is not followed; other errors are retried.
fn unless_refused(outcome: Result<bool, Error>) -> Result<bool, Error> {
    match outcome {
        Err(error) if error.scope <= Scope::Folder => Ok(false),
        other => other,
    }
}

pub(crate) async fn survey_with_retries<M: Ports>(cx: &mut SyncContext<'_, M>) -> Result<Survey, Error> {
    let mut retries = RetryCounter::default();
    loop {
        match survey(cx.source, cx.target, cx.ledger, &cx.options.folders).await {
            Ok(survey) => return Ok(survey),
            Err(error) => recover_from(cx, error, &mut retries).await?,
        }
    }
}
