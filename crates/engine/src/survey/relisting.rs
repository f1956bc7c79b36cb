//! Folders that were renamed or deleted after they were listed: the source is listed once more.

use std::collections::BTreeSet;

use mailhaul_mail::FolderPath;

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind, Side},
    folder_sync::job::{FolderHistory, FolderJob},
    report::Report,
    survey::{Survey, renames::survey_with_renames},
};

/// Treats folders that the source refused and lists no more as departed.
///
/// Returns folders that appeared in the meantime, to be copied; `None` if nothing changed. Folders that are still
/// listed stay failed.
pub(crate) async fn list_once_more<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut Vec<FolderJob>,
    report: &Report,
) -> Result<Option<Survey>, Error> {
    if !jobs.iter().any(may_be_gone) {
        return Ok(None);
    }
    let mut survey = survey_with_renames(cx).await?;
    let listed: BTreeSet<&FolderPath> = survey.plans.iter().map(|it| &it.source).collect();
    let before = jobs.len();
    jobs.retain(|it| !may_be_gone(it) || listed.contains(it.source()));
    if jobs.len() == before {
        return Ok(None);
    }
    let known: BTreeSet<FolderPath> = jobs
        .iter()
        .map(|it| it.source().clone())
        .chain(report.folders.iter().map(|it| it.source.clone()))
        .collect();
    survey.plans.retain(|it| !known.contains(&it.source) && !survey.views.contains(&it.source));
    survey.departed.retain(|it| !known.contains(&it.folder));
    Ok(Some(survey))
}

/// True for a folder that the source refused: it may have been renamed or deleted.
fn may_be_gone(job: &FolderJob) -> bool {
    job.history != FolderHistory::Departed
        && job.error().is_some_and(|it| it.kind == ErrorKind::Refused && it.side != Some(Side::Target))
}
