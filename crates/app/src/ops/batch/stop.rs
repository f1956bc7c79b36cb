//! Stop-MigrationBatch.

use mailhaul_migration::{BatchIntent, UserEvent};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::Due;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{endpoints::batch_now, view::MigrationBatch};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::BATCH, status_rules::Order},
    service::EndReason,
};

pub(crate) struct StopMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
}

impl Operation<Context> for StopMigrationBatch {
    const VERB: Verb = Verb::Stop;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Stops a batch. Running users finish the messages that they are copying.";
    const VIEW: &'static [&'static str] = &["Identity", "Status", "Message"];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        let now = context.now();
        let overview = context.store.batches().get(&request.identity).await.map_err(into_failure)?;
        Order::Stop.check(&overview, overview.status(now))?;
        let guid = overview.batch.guid;
        let stops = |batch: &mut mailhaul_migration::Batch| batch.intent = BatchIntent::Stop;
        context
            .store
            .batches()
            .order(guid, UserEvent::Stop, now, Due::Never, stops)
            .await
            .map_err(into_failure)?;
        context.workers.end_batch(guid, EndReason::Stopped);
        context.wake().await;
        Ok(Answer::one(batch_now(context, guid).await?))
    }
}
