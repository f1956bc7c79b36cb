//! Test-MigrationEndpoint.

use mailhaul_operations::{Answer, Caller, Credential, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    availability::{login, quick, try_out},
    failures::told,
    nouns::ENDPOINT,
    views::MigrationServerAvailability,
};
use crate::context::Context;

/// Tries an endpoint.
pub(crate) struct TestMigrationEndpoint;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The endpoint's name or GUID.
    identity: String,
    /// A user who is to log in too.
    credential: Option<Credential>,
    /// A mailbox that is to be opened too, by the endpoint's administrator or with an access token.
    test_mailbox: Option<String>,
    /// Shows how the other side is set up, also where all went well: an administrator's commands for Microsoft 365 or Google
    /// Workspace.
    #[serde(default)]
    show_instructions: bool,
}

impl Operation<Context> for TestMigrationEndpoint {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Connects to an endpoint's server, and logs in where that is asked for; changes nothing.";
    const VIEW: &'static [&'static str] = &["Result", "Message", "Steps", "Instructions"];

    type Request = Request;
    type Response = MigrationServerAvailability;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationServerAvailability>, Failure> {
        let endpoint = context.store.endpoint(&request.identity).await.map_err(told)?;
        let login = login(context, &endpoint, request.credential, request.test_mailbox).await?;
        let question = quick(&endpoint, login);
        Ok(Answer::one(
            try_out(&endpoint, Some(endpoint.name.clone()), question, request.show_instructions).await,
        ))
    }
}
