//! Test-MigrationEndpoint.

use mailhaul_operations::{Answer, Caller, Credential, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    availability::{login, quick, run_test},
    availability_view::MigrationServerAvailability,
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::ENDPOINT},
};

pub(crate) struct TestMigrationEndpoint;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the endpoint.
    identity: String,
    /// Login of a user to test too.
    credential: Option<Credential>,
    /// Mailbox to open, as the endpoint's administrator or with an access token.
    test_mailbox: Option<String>,
    /// Shows the setup commands of the server's side even if the test succeeds.
    ///
    /// For Microsoft 365 and Google Workspace.
    #[serde(default)]
    show_instructions: bool,
}

impl Operation<Context> for TestMigrationEndpoint {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Connects to an endpoint's server, and can sign in. Changes nothing.";
    const VIEW: &'static [&'static str] = &["Result", "Message", "Steps", "Instructions"];

    type Request = Request;
    type Response = MigrationServerAvailability;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationServerAvailability>, Failure> {
        let endpoint = context.store.endpoints().get(&request.identity).await.map_err(into_failure)?;
        let login = login(context, &endpoint, request.credential, request.test_mailbox).await?;
        let question = quick(&endpoint, login);
        Ok(Answer::one(
            run_test(&endpoint, Some(endpoint.name.clone()), question, request.show_instructions).await,
        ))
    }
}
