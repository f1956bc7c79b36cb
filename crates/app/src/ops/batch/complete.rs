//! Complete-MigrationBatch.

use mailhaul_migration::{StatusSummary, UserStatus};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::BatchOverview;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{endpoints::batch_now, view::MigrationBatch};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::BATCH, status_rules::Order},
    output::text,
};

pub(crate) struct CompleteMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Completes only if every user is synced.
    ///
    /// The command is refused if a user failed, is stopped, or is being synced.
    #[serde(default)]
    sync_and_complete: bool,
}

impl Operation<Context> for CompleteMigrationBatch {
    const VERB: Verb = Verb::Complete;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Runs the final sync of a batch's users; no sync follows it. A user that is not synced \
                                 yet is completed after its first sync. A user's own CompleteAfter still applies.";
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
        let overview = store.batches().get(&request.identity).await.map_err(into_failure)?;
        Order::Complete.check(&overview, overview.status(now))?;
        if request.sync_and_complete {
            check_all_synced(&overview)?;
        }
        let guid = overview.batch.guid;
        // As in Exchange: users in a pass, and users with their own CompleteAfter, complete later.
        store
            .batches()
            .update(guid, move |it| it.settings.complete_after = Some(now))
            .await
            .map_err(into_failure)?;
        store.jobs().complete_due(now).await.map_err(into_failure)?;
        context.wake().await;
        let mut batch = batch_now(context, guid).await?;
        let completing =
            store.users().count(Some(guid)).await.map_err(into_failure)?.of(UserStatus::Completing);
        if completing == 0 {
            "users complete as soon as they are synced, or at their own CompleteAfter"
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
    .with_advice("Wait, or start them again. Without -SyncAndComplete, only the synced users complete."))
}
