//! Get-MigrationBatch.

use mailhaul_migration::{BatchStatus, Guid, Limit, StatusSummary};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{BatchFilter, BatchOverview, UserFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    endpoints::EndpointNames,
    failures::told,
    nouns::BATCH,
    pages::most,
    views::{MigrationBatch, ReportLine},
};
use crate::context::Context;

/// Failures of users that a batch's report has at most; Export-MigrationReport has them all.
const MOST_FAILURES: u32 = 1000;

/// Shows batches.
pub(crate) struct GetMigrationBatch;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The batch's name or GUID; all where it is left out.
    identity: Option<String>,
    /// Batches of which this endpoint is source or target.
    endpoint: Option<String>,
    /// Batches in this state.
    status: Option<BatchStatus>,
    /// Shows the report too: when it was made and started, and why users failed.
    #[serde(default)]
    include_report: bool,
    /// How many at most, or unlimited; 1000 where nothing is said.
    result_size: Option<Limit>,
}

impl Operation<Context> for GetMigrationBatch {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows batches, where they stand, and how many of their users are how far.";
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
        (Some(identity), None) => Ok(vec![store.batch(identity).await.map_err(told)?]),
        (None, Some(endpoint)) => {
            let endpoint: Guid = store.endpoint(endpoint).await.map_err(told)?.guid;
            store.batches(&BatchFilter { endpoint: Some(endpoint) }).await.map_err(told)
        }
        (None, None) => store.batches(&BatchFilter::default()).await.map_err(told),
    }
}

/// What is told about a batch, in the order of time.
async fn report(context: &Context, overview: &BatchOverview) -> Result<Vec<ReportLine>, Failure> {
    let batch = &overview.batch;
    let line = |creation_time, message| ReportLine { creation_time, message };
    let mut lines = vec![line(batch.created, format!("{} made the batch.", batch.submitted_by))];
    lines.extend(batch.validation_warnings.iter().map(|warning| line(batch.created, warning.clone())));
    lines.extend(batch.started.map(|at| line(at, "The batch was started.".to_owned())));
    lines.extend(overview.initial_synced.map(|at| line(at, "Every user is synced.".to_owned())));
    let failed =
        UserFilter { batch: Some(batch.guid), summary: Some(StatusSummary::Failed), ..UserFilter::default() };
    let failed = context.store.users(&failed, None, MOST_FAILURES).await.map_err(told)?;
    let has_more = failed.next.is_some();
    lines.extend(failed.items.into_iter().map(|it| {
        let why = it.failure.map(|failure| format!(": {}", failure.message)).unwrap_or_default();
        line(it.status_since, format!("Row {}: {} is {}{why}", it.row, it.email_address, it.status))
    }));
    lines.sort_by_key(|it| it.creation_time);
    if has_more {
        let more = "More users failed: Export-MigrationReport -Kind Errors has them all.".to_owned();
        lines.push(line(context.now(), more));
    }
    Ok(lines)
}
