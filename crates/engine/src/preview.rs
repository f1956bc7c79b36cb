//! Preview of a pass, folder by folder. It uses only a [`Mailbox`], so it cannot change anything.

use mailhaul_mail::{Retry, Scope, Uid, UidSet};

use crate::{
    error::{Error, ErrorKind},
    folder_plan::{FolderPlan, REMAINDER, Unmatched, why_scan},
    ledger_state::FolderState,
    matching::on_target::{MatchCandidate, Search, SearchRange, find_on_target},
    message_plan::plan_messages,
    options::PassOptions,
    ports::{Ledger, Mailbox},
    scan::remainder::View,
    survey::survey,
};

/// Preview of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPreview {
    /// Target folder, and the reason.
    pub plan: FolderPlan,
    /// The reason to scan it; `None` if it is left out or unchanged.
    pub why: Option<String>,
    /// Messages that would be sent.
    pub copy: u64,
    /// Bytes that would be sent, as claimed.
    pub bytes: u64,
    /// Messages that the target has: by the ledger, or found there now.
    pub already: u64,
    /// Messages whose flags would be changed.
    pub flags: u64,
    /// Messages that the target has and the source has no more.
    pub vanished: u64,
    /// Messages that the operator's filter leaves out.
    pub excluded: u64,
    /// Messages that would be skipped, with the reason.
    pub skip: Vec<(Uid, String)>,
    /// The reason why the folder could not be read.
    pub error: Option<Error>,
}

/// Preview of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub folders: Vec<FolderPreview>,
    /// Options that match no folder.
    pub unmatched: Vec<Unmatched>,
}

/// Previews a pass. Changes nothing.
///
/// Messages that were moved since the last pass count as vanished and new here.
pub async fn preview<S: Mailbox, T: Mailbox, L: Ledger>(
    source: &mut S,
    target: &mut T,
    ledger: &L,
    options: &PassOptions,
) -> Result<Preview, Error> {
    let survey = survey(source, target, ledger, &options.folders).await?;
    survey.check_options()?;
    let mut previews = Vec::new();
    for plan in survey.plans.clone() {
        let record = survey.records.get(&plan.source).filter(|it| Some(&it.target) == plan.target.as_ref());
        let view = survey.view(&plan.source);
        let rules = options.rules(source) + if view.is_some() { REMAINDER } else { "" };
        let why = plan.target.as_ref().and_then(|_| why_scan(plan.status.as_ref(), record, &rules));
        let mut preview = FolderPreview {
            plan,
            why,
            copy: 0,
            bytes: 0,
            already: 0,
            flags: 0,
            vanished: 0,
            excluded: 0,
            skip: Vec::new(),
            error: None,
        };
        if preview.why.is_some() {
            let there = survey
                .target
                .iter()
                .any(|it| it.selectable && Some(&it.path) == preview.plan.target.as_ref());
            let at = PreviewInput { view, is_known: record.is_some(), is_on_target: there };
            match look(source, target, ledger, options, &mut preview, at).await {
                Err(error) if error.scope <= Scope::Folder => preview.error = Some(error),
                other => other?,
            }
        } else if let Some(cursor) = record.and_then(|it| it.cursor) {
            preview.excluded = u64::from(cursor.excluded);
            preview.already = u64::from(cursor.status.messages).saturating_sub(preview.excluded);
        }
        previews.push(preview);
    }
    Ok(Preview { folders: previews, unmatched: survey.unmatched })
}

/// A folder to preview.
struct PreviewInput {
    view: Option<View>,
    /// True if the ledger has its messages.
    is_known: bool,
    is_on_target: bool,
}

async fn look<S: Mailbox, T: Mailbox, L: Ledger>(
    source: &mut S,
    target: &mut T,
    ledger: &L,
    options: &PassOptions,
    preview: &mut FolderPreview,
    PreviewInput { view, is_known, is_on_target }: PreviewInput,
) -> Result<(), Error> {
    let Some(to) = preview.plan.target.clone() else { return Ok(()) };
    let folder = &preview.plan.source;
    let scan = source.scan(folder, None).await?;
    let known = if is_known { ledger.folder(folder).await? } else { None };
    let state = known
        .filter(|it| it.record.uid_validity == scan.status.uid_validity)
        .unwrap_or_else(|| FolderState::opened(folder.clone(), to.clone(), scan.status.uid_validity));
    let scan = match view {
        Some(mut view) => view.remainder(source, ledger, &state, scan).await?,
        None => scan,
    };
    let mut plan = plan_messages(&scan, &state, &options.filter, options.order);
    if is_on_target || is_known {
        let wanted: Vec<MatchCandidate> = plan.copy.iter().map(MatchCandidate::shown).collect();
        let owned = state.target_uids();
        let range = SearchRange::WHOLE_FOLDER;
        let search = Search { folder, target_folder: &to, owned: &owned, range };
        let found = find_on_target(source, target, search, &wanted).await?;
        let found: UidSet = found.iter().map(|it| it.uid).collect();
        plan.copy.retain(|it| !found.contains(it.uid));
        plan.already += found.len();
    }
    preview.copy = plan.copy.len() as u64;
    preview.bytes = plan.copy.iter().map(|it| it.size).sum();
    preview.already = plan.already;
    preview.flags = plan.flags.len() as u64;
    preview.vanished = plan.vanished.len() as u64;
    preview.excluded = plan.excluded;
    preview.skip = plan.skip.into_iter().map(|(message, reason)| (message.uid, reason)).collect();
    preview.error =
        scan.incomplete.map(|why| Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, why));
    Ok(())
}
