//! Get-MigrationEndpoint.

use mailhaul_migration::EndpointType;
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{Active, MigrationEndpoint};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::ENDPOINT},
};

pub(crate) struct GetMigrationEndpoint;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the endpoint [default: all].
    identity: Option<String>,
    /// Only endpoints of this type.
    #[serde(rename = "Type")]
    endpoint_type: Option<EndpointType>,
}

impl Operation<Context> for GetMigrationEndpoint {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows endpoints and the number of active mailboxes at each.";
    const VIEW: &'static [&'static str] = &[
        "Identity",
        "EndpointType",
        "RemoteServer",
        "Port",
        "Security",
        "ActiveMigrationCount",
        "ParkedUntil",
    ];

    type Request = Request;
    type Response = MigrationEndpoint;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        let store = &context.store;
        let endpoints = match request.identity {
            Some(identity) => vec![store.endpoints().get(&identity).await.map_err(into_failure)?],
            None => store.endpoints().list().await.map_err(into_failure)?,
        };
        let is_wanted = |it: &EndpointType| request.endpoint_type.is_none_or(|wanted| wanted == *it);
        let endpoints = endpoints.into_iter().filter(|it| is_wanted(&it.endpoint_type));
        let active = Active::load(store, context.now()).await.map_err(into_failure)?;
        Ok(Answer::all(endpoints.map(|it| MigrationEndpoint::of(it, &active)).collect()))
    }
}
