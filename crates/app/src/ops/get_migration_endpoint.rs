//! Get-MigrationEndpoint.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    failures::told,
    nouns::ENDPOINT,
    views::{Active, MigrationEndpoint},
};
use crate::context::Context;

/// Shows endpoints.
pub(crate) struct GetMigrationEndpoint;

/// The types of endpoint that there are.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum EndpointType {
    /// An IMAP server, as every endpoint is.
    #[serde(rename = "IMAP")]
    Imap,
}

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The endpoint's name or GUID; all where it is left out.
    identity: Option<String>,
    /// Endpoints of this type.
    #[serde(rename = "Type")]
    #[expect(dead_code, reason = "there is one type")]
    endpoint_type: Option<EndpointType>,
}

impl Operation<Context> for GetMigrationEndpoint {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows endpoints, and how many mailboxes are under way there.";
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
            Some(identity) => vec![store.endpoint(&identity).await.map_err(told)?],
            None => store.endpoints().await.map_err(told)?,
        };
        let active = Active::load(store, context.now()).await.map_err(told)?;
        Ok(Answer::all(endpoints.into_iter().map(|it| MigrationEndpoint::of(it, &active)).collect()))
    }
}
