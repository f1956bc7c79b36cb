//! The first look at a mailbox: where every folder goes, and what is remembered. Changes nothing anywhere.

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::FolderPath;

use crate::{
    error::Error,
    folder::Folder,
    folder_plan::{FolderPlan, FolderRules, Selection, plan_folders},
    name_rules::NameRules,
    ports::{Ledger, Mailbox},
    record::FolderRecord,
};

/// What the first look shows.
pub(crate) struct Survey {
    pub(crate) plans: Vec<FolderPlan>,
    pub(crate) records: BTreeMap<FolderPath, FolderRecord>,
    /// Folders that the ledger knows and the source has no more.
    pub(crate) departed: Vec<FolderRecord>,
    /// The target's folders, where they had to be asked for.
    pub(crate) target: Vec<Folder>,
    /// What the target's names can hold, where folders are new.
    pub(crate) names: NameRules,
}

/// Where every folder of a mailbox would go, and why; the last passes count. Changes nothing anywhere.
///
/// # Errors
/// Those of the two mailboxes and of the ledger.
pub async fn plan_mailbox<S: Mailbox, T: Mailbox, L: Ledger>(
    source: &mut S,
    target: &mut T,
    ledger: &L,
    rules: &FolderRules,
) -> Result<Vec<FolderPlan>, Error> {
    Ok(survey(source, target, ledger, rules).await?.plans)
}

/// Looks. The target is not asked where the ledger knows every folder.
pub(crate) async fn survey(
    source: &mut impl Mailbox,
    target: &mut impl Mailbox,
    ledger: &impl Ledger,
    rules: &FolderRules,
) -> Result<Survey, Error> {
    let records = ledger.folders().await?;
    // The first time the target is asked in any case: both at once.
    let (folders, mut on_target) = if records.is_empty() {
        let (folders, on_target) = futures_util::join!(source.folders(), target.folders());
        (folders?, Some(on_target?))
    } else {
        (source.folders().await?, None)
    };
    let selection = Selection::new(&folders, rules, &records);
    let any_new =
        folders.iter().any(|it| selection.known(&it.path).is_none() && selection.left_out(it).is_none());
    if any_new && on_target.is_none() {
        on_target = Some(target.folders().await?);
    }
    let names = if any_new { target.name_rules().await? } else { NameRules::default() };
    let on_target = on_target.unwrap_or_default();
    let plans = plan_folders(&folders, &on_target, &names, rules, &records);
    let listed: BTreeSet<&FolderPath> = folders.iter().map(|it| &it.path).collect();
    let departed = records.iter().filter(|it| !listed.contains(&it.folder)).cloned().collect();
    Ok(Survey {
        plans,
        departed,
        target: on_target,
        names,
        records: records.into_iter().map(|it| (it.folder.clone(), it)).collect(),
    })
}
