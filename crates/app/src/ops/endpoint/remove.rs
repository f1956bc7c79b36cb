//! Remove-MigrationEndpoint.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationEndpoint;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::ENDPOINT},
};

pub(crate) struct RemoveMigrationEndpoint;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the endpoint.
    identity: String,
}

impl Operation<Context> for RemoveMigrationEndpoint {
    const VERB: Verb = Verb::Remove;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Removes an endpoint that no batch uses.";

    type Request = Request;
    type Response = MigrationEndpoint;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        let endpoint = context.store.endpoints().get(&request.identity).await.map_err(into_failure)?;
        context.store.endpoints().remove(endpoint.guid).await.map_err(into_failure)?;
        Ok(Answer::none())
    }
}
