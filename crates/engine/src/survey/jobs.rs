//! Folders that need work in this pass, and those that do not.

use std::sync::Arc;

use mailhaul_mail::{FolderPath, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::FolderStatus,
    folder_plan::{FolderPlan, why_scan},
    folder_sync::job::FolderJob,
    ledger_state::FolderRecord,
    ports::{Event, Ledger, Progress},
    report::{FolderReport, FolderTally, Report},
    survey::Survey,
    views::ViewPlan,
};

/// Splits the folders into those that need work and those that do not. Views come last.
pub(crate) fn choose_jobs<M: Ports>(
    cx: &SyncContext<'_, M>,
    survey: Survey,
    report: &mut Report,
) -> (Vec<FolderJob>, Vec<ViewPlan>) {
    let rules = cx.options.rules(cx.source);
    let mut jobs: Vec<FolderJob> = Vec::new();
    let mut views = Vec::new();
    let listing = survey.plans.iter().filter_map(|it| Some((it.source.clone(), it.status?)));
    let listing: Arc<[(FolderPath, FolderStatus)]> = listing.collect();
    let as_view = survey.plans.iter().map(|it| survey.view(&it.source)).collect::<Vec<_>>();
    for (plan, view) in survey.plans.into_iter().zip(as_view) {
        let record = survey.records.get(&plan.source);
        if let Some(view) = view {
            views.push(ViewPlan::new(plan, record, view, &rules));
            continue;
        }
        let Some(target) = plan.target.clone() else {
            report.folders.push(FolderReport {
                source: plan.source,
                target: None,
                reason: plan.reason,
                tally: FolderTally::default(),
                error: None,
            });
            continue;
        };
        let moved_elsewhere = record.is_some_and(|it| it.target != target);
        let known = record.filter(|_| !moved_elsewhere);
        if let Some(why) = why_scan(plan.status.as_ref(), known, &rules) {
            jobs.push(FolderJob::new(plan, target, &why, known.is_some()));
        } else {
            cx.progress.event(Event::Unchanged { folder: &plan.source });
            report.folders.push(unchanged(plan, target, record));
        }
    }
    jobs.extend(survey.departed.into_iter().map(FolderJob::departed));
    for job in &mut jobs {
        job.listing = Arc::clone(&listing);
    }
    let order = |it: &ViewPlan| survey.views.iter().position(|path| path == it.source());
    views.sort_by_key(order);
    (jobs, views)
}

/// Corrects the numbers of unchanged folders by the ledger.
///
/// A source with labels counts a message in several folders. Only the ledger knows the folder that it was copied from.
pub(crate) async fn count_unchanged<M: Ports>(
    cx: &SyncContext<'_, M>,
    report: &mut Report,
) -> Result<(), Error> {
    for unchanged in report.folders.iter_mut().filter(|it| it.target.is_some()) {
        let state = cx.ledger.folder_around(&unchanged.source, &UidSet::new()).await?;
        let held = state.map_or(0, |it| it.rest + it.messages.len() as u64);
        (unchanged.tally.seen, unchanged.tally.already) = (held, held);
    }
    Ok(())
}

fn unchanged(plan: FolderPlan, target: FolderPath, record: Option<&FolderRecord>) -> FolderReport {
    let cursor = record.and_then(|it| it.cursor);
    let seen = cursor.map_or(0, |it| u64::from(it.status.messages));
    let excluded = cursor.map_or(0, |it| u64::from(it.excluded));
    let tally =
        FolderTally { seen, already: seen.saturating_sub(excluded), excluded, ..FolderTally::default() };
    FolderReport {
        source: plan.source,
        target: Some(target),
        reason: "unchanged".to_owned(),
        tally,
        error: None,
    }
}
