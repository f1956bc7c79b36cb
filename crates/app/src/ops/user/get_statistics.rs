//! Get-MigrationUserStatistics.

use mailhaul_migration::{Guid, Limit};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{MAX_REPORT_ENTRIES, SkippedMessage};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    statistics_view::{Details, MigrationUserStatistics},
    view::Waiting,
};
use crate::{
    context::Context,
    ops::{
        batch::endpoints::EndpointNames,
        shared::{failures::into_failure, nouns::USER_STATISTICS, pages::most},
    },
};

/// Skipped messages per database query.
const PAGE: u32 = 1000;

pub(crate) struct GetMigrationUserStatistics;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
    /// Adds the report.
    #[serde(default)]
    include_report: bool,
    /// Adds the skipped messages.
    #[serde(default)]
    include_skipped_items: bool,
    /// Maximum number of skipped messages, or unlimited [default: 1000].
    limit_skipped_items_to: Option<Limit>,
    /// Accepted for compatibility with Exchange scripts; has no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "there is no subscription that could be skipped")]
    skip_subscription: bool,
}

impl Operation<Context> for GetMigrationUserStatistics {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = USER_STATISTICS;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str =
        "Shows a user's progress: messages, bytes and rates, in total and for each folder.";
    const VIEW: &'static [&'static str] = &[
        "Identity",
        "Status",
        "PercentageComplete",
        "SyncedItemCount",
        "SkippedItemCount",
        "BytesTransferred",
        "EstimatedTimeRemaining",
    ];

    type Request = Request;
    type Response = MigrationUserStatistics;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUserStatistics>, Failure> {
        let store = &context.store;
        let user = store.users().get(&request.identity, None).await.map_err(into_failure)?;
        let folders = store.reports().folder_statistics(user.guid).await.map_err(into_failure)?;
        let report = if request.include_report {
            Some(store.reports().get(user.guid, None, MAX_REPORT_ENTRIES).await.map_err(into_failure)?.items)
        } else {
            None
        };
        // A limit means that the messages are wanted, as in Exchange's own examples.
        let skipped = if request.include_skipped_items || request.limit_skipped_items_to.is_some() {
            Some(skipped(context, user.guid, most(request.limit_skipped_items_to)).await?)
        } else {
            None
        };
        let batch = store.batches().by_guid(user.batch).await.map_err(into_failure)?;
        let parked = EndpointNames::load(context).await?.parked(&batch);
        let forecast = context.workers.forecast(user.guid);
        let waiting = Waiting { now: context.now(), parked: parked.as_ref(), forecast };
        let live = context.workers.statistics(user.guid);
        let details = Details { folders, report, skipped };
        Ok(Answer::one(MigrationUserStatistics::of(user, batch.name, live, details, &waiting)))
    }
}

async fn skipped(context: &Context, user: Guid, most: usize) -> Result<Vec<SkippedMessage>, Failure> {
    let (mut skipped, mut after) = (Vec::new(), None);
    loop {
        let left = u32::try_from(most - skipped.len()).unwrap_or(u32::MAX).min(PAGE);
        let page = context.store.reports().skipped_messages(user, after, left).await.map_err(into_failure)?;
        skipped.extend(page.items);
        after = page.next;
        if after.is_none() || skipped.len() >= most {
            return Ok(skipped);
        }
    }
}
