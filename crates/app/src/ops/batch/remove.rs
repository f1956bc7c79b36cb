//! Remove-MigrationBatch.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{endpoints::batch_now, view::MigrationBatch};
use crate::{
    context::Context,
    ops::{
        cutover::removal,
        shared::{failures::into_failure, nouns::BATCH},
    },
    service::EndReason,
};

pub(crate) struct RemoveMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Removes the batch also if the CutoverPolicy of the configuration refuses it.
    #[serde(default)]
    force: bool,
}

impl Operation<Context> for RemoveMigrationBatch {
    const VERB: Verb = Verb::Remove;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Removes a batch with its users, their passwords and reports, whatever its status. Mail on \
                                 the target stays; a new batch of the same users copies nothing twice. If the old \
                                 server may still be needed, the answer says so (Get-MigrationCutover).";

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        let batch = context.store.batches().named(&request.identity).await.map_err(into_failure)?;
        let guid = batch.guid;
        let told = removal::verdict(context, &batch, request.force).await?;
        // Only a batch that is not safe to remove is shown, as it was, with the verdict.
        let mut removed = match &told {
            Some(_) => Some(batch_now(context, guid).await?),
            None => None,
        };
        context.store.batches().remove(guid).await.map_err(into_failure)?;
        context.workers.end_batch(guid, EndReason::Stopped);
        context.wake().await;
        if let (Some(removed), Some(told)) = (&mut removed, told) {
            removed.message = told;
        }
        Ok(Answer::all(removed.into_iter().collect()))
    }
}
