//! Get-MigrationBatch.

use mailhaul_migration::{BatchStatus, Guid, Limit, StatusSummary};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{BatchFilter, BatchOverview, UserFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{endpoints::EndpointNames, view::MigrationBatch};
use crate::{
    context::Context,
    ops::shared::{
        failures::into_failure,
        log_line::{Report, ReportLine},
        nouns::BATCH,
        pages::most,
    },
};

/// Failed users in a batch's report. Export-MigrationReport lists them all.
const MOST_FAILURES: u32 = 1000;

pub(crate) struct GetMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch [default: all].
    identity: Option<String>,
    /// Only batches with this endpoint as source or target.
    endpoint: Option<String>,
    /// Only batches with this status.
    status: Option<BatchStatus>,
    /// Adds the report: creation, start, and the reasons of failed users.
    #[serde(default)]
    include_report: bool,
    /// Maximum number of results, or unlimited [default: 1000].
    result_size: Option<Limit>,
}

impl Operation<Context> for GetMigrationBatch {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows batches with their status and the number of users in each state.";
    const VIEW: &'static [&'static str] = &[
        "Identity",
        "Status",
        "PercentageComplete",
        "TotalCount",
        "SyncedCount",
        "FinalizedCount",
        "FailedCount",
    ];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        let now = context.now();
        let mut found = find(context, &request).await?;
        if let Some(status) = request.status {
            found.retain(|it| it.status(now) == status);
        }
        found.truncate(most(request.result_size));
        let names = EndpointNames::load(context).await?;
        let mut shown = Vec::with_capacity(found.len());
        for overview in found {
            let report = if request.include_report { Some(report(context, &overview).await?) } else { None };
            let mut batch = names.show(overview, now);
            batch.report = report;
            shown.push(batch);
        }
        Ok(Answer::all(shown))
    }
}

async fn find(context: &Context, request: &Request) -> Result<Vec<BatchOverview>, Failure> {
    let store = &context.store;
    match (&request.identity, &request.endpoint) {
        (Some(_), Some(_)) => Err(Failure::invalid("either Identity or Endpoint can be given, not both")),
        (Some(identity), None) => Ok(vec![store.batches().get(identity).await.map_err(into_failure)?]),
        (None, Some(endpoint)) => {
            let endpoint: Guid = store.endpoints().get(endpoint).await.map_err(into_failure)?.guid;
            store.batches().list(&BatchFilter { endpoint: Some(endpoint) }).await.map_err(into_failure)
        }
        (None, None) => store.batches().list(&BatchFilter::default()).await.map_err(into_failure),
    }
}

/// Returns the batch's report. Its failures are the newest lines of its failed users.
async fn report(context: &Context, overview: &BatchOverview) -> Result<Report, Failure> {
    let batch = &overview.batch;
    let line = |creation_time, message| ReportLine { creation_time, message };
    let mut lines = vec![line(batch.created, format!("{} created the batch.", batch.submitted_by))];
    lines.extend(batch.validation_warnings.iter().map(|warning| line(batch.created, warning.clone())));
    lines.extend(batch.started.map(|at| line(at, "The batch was started.".to_owned())));
    lines.extend(overview.initial_synced.map(|at| line(at, "Every user is synced.".to_owned())));
    let failed =
        UserFilter { batch: Some(batch.guid), summary: Some(StatusSummary::Failed), ..UserFilter::default() };
    let failed = context.store.users().list(&failed, None, MOST_FAILURES).await.map_err(into_failure)?;
    let has_more = failed.next.is_some();
    let failures: Vec<ReportLine> = failed
        .items
        .into_iter()
        .map(|it| {
            let why = it.failure.map(|failure| format!(": {}", failure.message)).unwrap_or_default();
            line(it.status_since, format!("Row {}: {} is {}{why}", it.row, it.email_address, it.status))
        })
        .collect();
    lines.extend(failures.iter().map(|failure| line(failure.creation_time, failure.message.clone())));
    lines.sort_by_key(|it| it.creation_time);
    if has_more {
        let more = "More users failed; Export-MigrationReport -Kind Errors lists all of them.".to_owned();
        lines.push(line(context.now(), more));
    }
    Ok(Report { entries: lines, failures })
}
