//! Remove-MigrationBatch.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationBatch;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::BATCH},
    service::EndReason,
};

pub(crate) struct RemoveMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Accepted for compatibility with Exchange scripts; has no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "nothing needs to be forced")]
    force: bool,
}

impl Operation<Context> for RemoveMigrationBatch {
    const VERB: Verb = Verb::Remove;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Removes a batch with its users, their passwords and reports, whatever its status. Mail on \
                                 the target stays; a new batch of the same users copies nothing twice.";

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        let guid = context.store.batches().get(&request.identity).await.map_err(into_failure)?.batch.guid;
        context.store.batches().remove(guid).await.map_err(into_failure)?;
        context.workers.end_batch(guid, EndReason::Stopped);
        context.wake().await;
        Ok(Answer::none())
    }
}
