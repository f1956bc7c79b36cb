//! Get-MigrationThroughput.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use mailhaul_migration::Guid;
use mailhaul_operations::{Answer, Caller, DateTime, Failure, Noun, Operation, Role, TimeSpan, Verb};
use mailhaul_store::{StoreError, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::periods::{Kept, SeriesPeriod, SeriesPlan, active, plan, sums};
use crate::{
    context::Context,
    ops::shared::{
        failures::{into_failure, not_found},
        nouns::THROUGHPUT,
    },
    time_zones::moment,
};

pub(crate) struct GetMigrationThroughput;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of a batch or of an endpoint.
    identity: String,
    /// Start of the series [default: an hour before To].
    from: Option<DateTime>,
    /// End of the series [default: now].
    to: Option<DateTime>,
    /// Length of a period [default: by the length of the series].
    ///
    /// Less than a minute is possible for the last 10 minutes, and shows the work of this service alone, beside
    /// others on one database. Minutes are kept for 48 hours, quarter-hours for 90 days.
    step: Option<TimeSpan>,
}

/// Work of a batch or at an endpoint in a period. Periods without work are left out.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationThroughput {
    /// Start of the period.
    start_time: Timestamp,
    /// Length of the period.
    duration: TimeSpan,
    /// Bytes sent.
    bytes_transferred: u64,
    /// Messages copied.
    copied_count: u64,
    /// Users with a pass, on average over the period, rounded up.
    active_count: u64,
    /// Users that waited at the end of the period; null by the second, and for a minute that has not ended.
    pending_count: Option<u64>,
    /// Failed users at the end of the period, or null as PendingCount.
    failed_count: Option<u64>,
}

impl Operation<Context> for GetMigrationThroughput {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = THROUGHPUT;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows bytes, messages and users of a batch or endpoint over time.";
    const VIEW: &'static [&'static str] =
        &["StartTime", "BytesTransferred", "CopiedCount", "ActiveCount", "PendingCount", "FailedCount"];

    type Request = Request;
    type Response = MigrationThroughput;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationThroughput>, Failure> {
        let owner = owner(context, &request.identity).await?;
        let at = |parameter, date: Option<DateTime>| {
            let time = date.map(|date| moment(parameter, date, &TimeZone::UTC)).transpose();
            time.map(|time| time.map(Timestamp::as_second))
        };
        let step = request.step.map(|step| i64::try_from(step.0.as_secs()).unwrap_or(i64::MAX));
        let now = context.now().as_second();
        let plan = plan(now, at("From", request.from)?, at("To", request.to)?, step)?;
        let periods = sums(&plan, rows(context, owner, &plan).await?);
        Ok(Answer::all(periods.iter().map(|period| shown(period, plan.step, now)).collect()))
    }
}

/// Finds the batch or endpoint.
async fn owner(context: &Context, identity: &str) -> Result<Guid, Failure> {
    let batch = match context.store.batches().named(identity).await {
        Ok(batch) => Some(batch.guid),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(into_failure(error)),
    };
    let endpoint = match context.store.endpoints().get(identity).await {
        Ok(endpoint) => Some(endpoint.guid),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(into_failure(error)),
    };
    match (batch, endpoint) {
        (Some(_), Some(_)) => Err(Failure::invalid(format_args!(
            "Identity: a batch and an endpoint have the name \"{identity}\""
        ))
        .with_advice("Give the GUID of one of them.")),
        (Some(owner), None) | (None, Some(owner)) => Ok(owner),
        (None, None) => Err(not_found("batch or endpoint", identity)
            .with_advice("Get-MigrationBatch and Get-MigrationEndpoint list what exists.")),
    }
}

/// Rows of the series, in their order.
async fn rows(context: &Context, owner: Guid, plan: &SeriesPlan) -> Result<Vec<SeriesPeriod>, Failure> {
    let Kept::Periods(kept) = plan.kept else {
        return Ok(without_users(context.throughput.seconds(owner)));
    };
    let saved =
        context.store.throughput().work(owner, kept, plan.from, plan.to).await.map_err(into_failure)?;
    let unsaved = without_users(context.throughput.unsaved(owner));
    Ok(saved.into_iter().map(SeriesPeriod::from).chain(unsaved).collect())
}

fn without_users(works: Vec<(i64, Work)>) -> Vec<SeriesPeriod> {
    works.into_iter().map(|(begun, work)| SeriesPeriod::without_users(begun, work)).collect()
}

fn shown(period: &SeriesPeriod, step: i64, now: i64) -> MigrationThroughput {
    MigrationThroughput {
        // A second of the database is always a time.
        start_time: Timestamp::from_second(period.begun).unwrap_or(Timestamp::UNIX_EPOCH),
        duration: TimeSpan(Duration::from_secs(step.unsigned_abs())),
        bytes_transferred: period.work.bytes,
        copied_count: period.work.messages,
        active_count: active(period, step, now),
        pending_count: period.pending.map(|users| users.waiting),
        failed_count: period.pending.map(|users| users.failed),
    }
}
