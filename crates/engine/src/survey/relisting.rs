//! Folders that were renamed or deleted after they were listed: the source is listed once more.

use std::collections::BTreeSet;

use mailhaul_mail::FolderPath;

use crate::{
    error::{Error, ErrorKind, Side},
    folder_sync::job::{Origin, Work},
    pass::Pass,
    ports::{Clock, Ledger, Progress, Source, Target},
    report::Report,
};

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Where the source refused folders and lists them no more, they are treated as departed, and folders that came up in
    /// the meantime are copied. Folders that are still listed stay failed.
    pub(crate) async fn list_once_more(
        &mut self,
        works: &mut Vec<Work>,
        report: &mut Report,
    ) -> Result<(), Error> {
        if !works.iter().any(may_be_gone) {
            return Ok(());
        }
        let mut survey = self.survey_with_renames().await?;
        let listed: BTreeSet<&FolderPath> = survey.plans.iter().map(|it| &it.source).collect();
        let before = works.len();
        works.retain(|it| !may_be_gone(it) || listed.contains(it.source()));
        if works.len() == before {
            return Ok(());
        }
        let known: BTreeSet<FolderPath> = works
            .iter()
            .map(|it| it.source().clone())
            .chain(report.folders.iter().map(|it| it.source.clone()))
            .collect();
        survey.plans.retain(|it| !known.contains(&it.source) && !survey.views.contains(&it.source));
        survey.departed.retain(|it| !known.contains(&it.folder));
        let names = survey.names.clone();
        let (mut more, _) = self.choose(survey, report);
        let carried = self.carry_folders(&mut more, &names).await;
        works.extend(more);
        carried
    }
}

/// True for a folder that the source refused: it may have been renamed or deleted.
fn may_be_gone(work: &Work) -> bool {
    work.origin != Origin::Departed
        && work
            .error
            .as_ref()
            .is_some_and(|it| it.kind == ErrorKind::Refused && it.side != Some(Side::Target))
}
