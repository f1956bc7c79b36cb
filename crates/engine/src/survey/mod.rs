//! Survey of a mailbox: folders, their targets, and their ledger records. Changes nothing anywhere.

pub(crate) mod jobs;
pub(crate) mod relisting;
pub(crate) mod renames;
pub(crate) mod subscriptions;

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::{FolderPath, Retry, Scope};

use crate::{
    error::{Error, ErrorKind, Side},
    folder::Folder,
    folder_plan::{FolderPlan, FolderRules, Selection, Unmatched, plan_folders, unmatched},
    ledger_state::FolderRecord,
    name_rules::NameRules,
    ports::{Ledger, Mailbox},
    scan::remainder::View,
};

/// Result of a survey.
pub(crate) struct Survey {
    pub(crate) plans: Vec<FolderPlan>,
    pub(crate) records: BTreeMap<FolderPath, FolderRecord>,
    /// Folders that the ledger knows and the source has no more.
    pub(crate) departed: Vec<FolderRecord>,
    /// The target's folders, if they were listed.
    pub(crate) target: Vec<Folder>,
    /// Folders whose messages are copied only if no other folder has them, `\All` first.
    pub(crate) views: Vec<FolderPath>,
    /// Folders that hold messages, without views.
    pub(crate) holders: Vec<FolderPath>,
    /// Options of the operator that match no folder.
    pub(crate) unmatched: Vec<Unmatched>,
    /// Rules for the target's names, if folders are new.
    pub(crate) names: NameRules,
}

impl Survey {
    /// Fails if options match no folder, and nothing of a new mailbox would be copied.
    pub(crate) fn check_options(&self) -> Result<(), Error> {
        let is_left = |it: &FolderPlan| it.target.is_some();
        if self.unmatched.is_empty() || !self.records.is_empty() || self.plans.iter().any(is_left) {
            return Ok(());
        }
        let told: Vec<String> = self.unmatched.iter().map(ToString::to_string).collect();
        let words = format!("no folder is left to copy: {}", told.join("; "));
        Err(Error::new(Scope::Mailbox, Retry::Never, ErrorKind::Options, words))
    }

    /// Returns the folder as a view; `None` if it is copied whole.
    pub(crate) fn view(&self, folder: &FolderPath) -> Option<View> {
        let place = self.views.iter().position(|it| it == folder)?;
        Some(View::new(self.holders.clone(), self.views[..place].to_vec()))
    }
}

/// Returns the target of every folder of a mailbox, with the reason. Changes nothing anywhere.
///
/// Decisions of earlier passes count.
///
/// # Errors
///
/// Those of the two mailboxes and of the ledger.
pub async fn plan_mailbox<S: Mailbox, T: Mailbox, L: Ledger>(
    source: &mut S,
    target: &mut T,
    ledger: &L,
    rules: &FolderRules,
) -> Result<Vec<FolderPlan>, Error> {
    Ok(survey(source, target, ledger, rules).await?.plans)
}

/// Reads folders and records. The target is not asked if the ledger knows every folder.
pub(crate) async fn survey(
    source: &mut impl Mailbox,
    target: &mut impl Mailbox,
    ledger: &impl Ledger,
    rules: &FolderRules,
) -> Result<Survey, Error> {
    let records = ledger.folders().await?;
    // The first pass asks the target in any case: both servers are listed at once.
    let (folders, mut on_target) = if records.is_empty() {
        let (folders, on_target) = futures_util::join!(source.folders(), target.folders());
        (folders?, Some(on_target?))
    } else {
        (source.folders().await?, None)
    };
    if folders.is_empty() && !records.is_empty() {
        // Every mailbox has an INBOX (RFC 9051, section 5.1).
        let words = format!("source {}: the server lists no folder, not even INBOX", source.describe());
        return Err(Error::session(words).at(Side::Source));
    }
    let selection = Selection::new(&folders, rules, &records);
    let any_new =
        folders.iter().any(|it| selection.known(&it.path).is_none() && selection.left_out(it).is_none());
    if any_new && on_target.is_none() {
        on_target = Some(target.folders().await?);
    }
    let names = if any_new { target.name_rules().await? } else { NameRules::default() };
    let on_target = on_target.unwrap_or_default();
    let plans = plan_folders(&folders, &on_target, &names, rules, &records);
    let is_copied = |it: &&Folder| selection.left_out(it).is_none();
    let mut views: Vec<&Folder> =
        folders.iter().filter(is_copied).filter(|it| selection.is_view(it)).collect();
    views.sort_by_key(|it| it.special_use);
    let holds = |it: &&Folder| it.selectable && !selection.is_view(it);
    let is_own = |it: &&Folder| it.leave_out.is_none() || is_copied(it);
    let holders = folders.iter().filter(holds).filter(is_own).map(|it| it.path.clone()).collect();
    let views = views.into_iter().map(|it| it.path.clone()).collect();
    let listed: BTreeSet<&FolderPath> = folders.iter().map(|it| &it.path).collect();
    let departed = records.iter().filter(|it| !listed.contains(&it.folder)).cloned().collect();
    Ok(Survey {
        plans,
        departed,
        views,
        holders,
        unmatched: unmatched(&folders, rules),
        target: on_target,
        names,
        records: records.into_iter().map(|it| (it.folder.clone(), it)).collect(),
    })
}
