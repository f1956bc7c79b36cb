//! Get-MigrationStatistics.

use mailhaul_migration::Statistics;
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::BatchFilter;
use schemars::JsonSchema;
use serde::Deserialize;

use super::statistics_view::MigrationStatistics;
use crate::{
    context::Context,
    ops::{
        batch::view::Counts,
        shared::{failures::into_failure, nouns::STATISTICS},
    },
};

pub(crate) struct GetMigrationStatistics;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {}

impl Operation<Context> for GetMigrationStatistics {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = STATISTICS;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows the progress of all batches together.";
    const VIEW: &'static [&'static str] =
        &["BatchCount", "TotalCount", "ActiveCount", "SyncedCount", "FinalizedCount", "FailedCount"];

    type Request = Request;
    type Response = MigrationStatistics;

    async fn run(
        context: &Context,
        _caller: &Caller,
        _request: Request,
    ) -> Result<Answer<MigrationStatistics>, Failure> {
        let store = &context.store;
        let counts = store.users().count(None).await.map_err(into_failure)?;
        let batches = store.batches().list(&BatchFilter::default()).await.map_err(into_failure)?;
        let mut totals = Statistics::default();
        for it in &batches {
            totals.total_items += it.totals.total_items;
            totals.synced_items += it.totals.synced_items;
            totals.skipped_items += it.totals.skipped_items;
            totals.bytes_transferred += it.totals.bytes_transferred;
        }
        Ok(Answer::one(MigrationStatistics::of(batches.len(), Counts::from(&counts), &totals)))
    }
}
