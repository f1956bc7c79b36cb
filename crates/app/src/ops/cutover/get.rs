//! Get-MigrationCutover.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationCutover;
use crate::{
    context::Context,
    cutover::report::CutoverReport,
    ops::shared::{failures::into_failure, nouns::CUTOVER},
};

pub(crate) struct GetMigrationCutover;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
}

impl Operation<Context> for GetMigrationCutover {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = CUTOVER;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str =
        "Shows if the old server of a batch is still needed, and the reasons. Asks nothing of the network.";
    const VIEW: &'static [&'static str] = &["Identity", "Verdict", "Message"];

    type Request = Request;
    type Response = MigrationCutover;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationCutover>, Failure> {
        Ok(Answer::one(shown(context, &request.identity).await?))
    }
}

/// Loads what is known of the cut-over of a batch.
pub(super) async fn shown(context: &Context, identity: &str) -> Result<MigrationCutover, Failure> {
    let batch = context.store.batches().get(identity).await.map_err(into_failure)?.batch;
    let report = CutoverReport::load(&context.store, &batch, context.now()).await.map_err(into_failure)?;
    Ok(MigrationCutover::new(&batch.name, report))
}
