//! Complete-MigrationBatch.

use mailhaul_migration::{StatusSummary, UserStatus};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::BatchOverview;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{endpoints::batch_now, failures::told, nouns::BATCH, rules::Order, views::MigrationBatch};
use crate::{context::Context, text};

/// Completes a batch.
pub(crate) struct CompleteMigrationBatch;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The batch's name or GUID.
    identity: String,
    /// Only where every user is synced: refused where one failed, is stopped, or is under way.
    #[serde(default)]
    sync_and_complete: bool,
}

impl Operation<Context> for CompleteMigrationBatch {
    const VERB: Verb = Verb::Complete;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Makes the final sync of a batch's users, after which no other follows. Users that are not synced \
                                 yet complete when they are; a user's own CompleteAfter is waited for.";
    const VIEW: &'static [&'static str] = &["Identity", "Status", "Message"];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        let store = &context.store;
        let now = context.now();
        let overview = store.batch(&request.identity).await.map_err(told)?;
        Order::Complete.check(&overview, overview.status(now))?;
        if request.sync_and_complete {
            check_all_synced(&overview)?;
        }
        let guid = overview.batch.guid;
        // As in Exchange: so that whoever is in the middle of a pass, and whoever has a time of his own, follows later.
        store.update_batch(guid, move |it| it.settings.complete_after = Some(now)).await.map_err(told)?;
        store.complete_due(now).await.map_err(told)?;
        context.workers.nudge();
        let mut batch = batch_now(context, guid).await?;
        let completing = store.count_users(Some(guid)).await.map_err(told)?.of(UserStatus::Completing);
        if completing == 0 {
            "users complete as soon as they are synced, or when their own CompleteAfter comes"
                .clone_into(&mut batch.message);
        }
        Ok(Answer::one(batch))
    }
}

fn check_all_synced(overview: &BatchOverview) -> Result<(), Failure> {
    let of = |summary| overview.counts.in_summary(summary);
    let others = [
        (of(StatusSummary::Failed), "failed"),
        (of(StatusSummary::Stopped), "stopped"),
        (of(StatusSummary::Active), "under way"),
    ];
    let others: Vec<String> = others
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, how)| format!("{} {how}", text::count(number, "user is", "users are")))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::conflict(format_args!(
        "the migration batch \"{}\" cannot be completed with -SyncAndComplete: {}",
        overview.batch.name,
        others.join(", ")
    ))
    .with_advice("Wait, or start them again; without -SyncAndComplete those that are synced complete, and the others do not."))
}
