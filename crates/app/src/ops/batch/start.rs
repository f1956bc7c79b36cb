//! Start-MigrationBatch.

use mailhaul_migration::{BatchIntent, UserEvent};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::Due;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{endpoints::batch_now, view::MigrationBatch};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::BATCH, status_rules::Order},
};

pub(crate) struct StartMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
}

impl Operation<Context> for StartMigrationBatch {
    const VERB: Verb = Verb::Start;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Starts a batch, resumes a stopped one, and retries failed users.";
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
        Order::Start.check(&overview, overview.status(now))?;
        let guid = overview.batch.guid;
        let runs = move |batch: &mut mailhaul_migration::Batch| {
            if batch.intent != BatchIntent::Run {
                (batch.intent, batch.started) = (BatchIntent::Run, Some(now));
            }
        };
        let store = &context.store;
        store
            .batches()
            .order(guid, UserEvent::Start, now, Due::AfterStart(now), runs)
            .await
            .map_err(into_failure)?;
        context.wake().await;
        Ok(Answer::one(batch_now(context, guid).await?))
    }
}
