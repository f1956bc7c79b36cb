//! Get-MigrationConfig.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{show::show, view::MigrationConfig};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::CONFIG},
};

pub(crate) struct GetMigrationConfig;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {}

impl Operation<Context> for GetMigrationConfig {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = CONFIG;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows the configuration for all batches.";

    type Request = Request;
    type Response = MigrationConfig;

    async fn run(
        context: &Context,
        _caller: &Caller,
        _request: Request,
    ) -> Result<Answer<MigrationConfig>, Failure> {
        let config = context.store.config().get().await.map_err(into_failure)?;
        Ok(Answer::one(show(context, config).await?))
    }
}
