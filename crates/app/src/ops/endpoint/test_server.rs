//! Test-MigrationServerAvailability.

use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::Endpoint;
use mailhaul_operations::{Answer, Caller, Credential, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{AccessParameters, Kinds, TokenParameters, names},
    availability::{new_bearer, run_test, thorough, thorough_login},
    availability_view::MigrationServerAvailability,
    reach,
    server::ServerParameters,
    settings,
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::SERVER_AVAILABILITY},
};

pub(crate) struct TestMigrationServerAvailability;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(flatten)]
    kinds: Kinds,
    #[serde(flatten)]
    server: ServerParameters,
    /// Endpoint whose settings are tested, instead of a server.
    endpoint: Option<String>,
    /// Login of a user to test; with TestMailbox, an administrator.
    credential: Option<Credential>,
    /// Only sign-in mechanism to use [default: the strongest that works].
    ///
    /// SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN.
    auth_mechanism: Option<String>,
    /// Mailbox to open, with an access token or as the administrator.
    ///
    /// Give the user name with which the owner of the mailbox signs in. The test finds the login
    /// form that the server accepts; it tries each form at most once.
    test_mailbox: Option<String>,
    #[serde(flatten)]
    tokens: TokenParameters,
    /// Shows the setup commands of the server's side even if the test succeeds.
    ///
    /// For Microsoft 365 and Google Workspace.
    #[serde(default)]
    show_instructions: bool,
    /// Opens connections until the server refuses one [max: 16].
    ///
    /// For an endpoint, the maximum is MaxConcurrentMigrations. Warning: some servers lock such
    /// clients out for a while.
    #[serde(default)]
    test_connections: bool,
}

impl Operation<Context> for TestMigrationServerAvailability {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = SERVER_AVAILABILITY;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Tests a mail server step by step (DNS, TCP, TLS, sign-in, mailbox) and shows its features. \
        If you give a login, it also measures the speed; with TestMailbox, it finds the administrator's login form. \
        Changes nothing.";
    const VIEW: &'static [&'static str] = &["Result", "Message", "Steps", "Instructions"];

    type Request = Request;
    type Response = MigrationServerAvailability;

    async fn run(
        context: &Context,
        caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationServerAvailability>, Failure> {
        let (credential, mailbox) = (request.credential.take(), request.test_mailbox.take());
        let (connections, with_instructions) = (request.test_connections, request.show_instructions);
        if connections && credential.is_none() && mailbox.is_none() {
            return Err(Failure::invalid(
                "TestConnections needs Credential or TestMailbox, because it signs in",
            ));
        }
        let (endpoint, name, login) = if let Some(identity) = request.endpoint.take() {
            request.is_alone()?;
            let endpoint = context.store.endpoints().get(&identity).await.map_err(into_failure)?;
            let login = thorough_login(context, &endpoint, credential, mailbox).await?;
            let name = endpoint.name.clone();
            (endpoint, Some(name), login)
        } else {
            let (endpoint, secret) = request.server(reach::reach_of(caller))?;
            reach::check(&endpoint)?;
            let login = match endpoint.access.oauth() {
                Some(_) if credential.is_some() => {
                    return Err(Failure::invalid(
                        "either Credential or an access token can be tested, not both",
                    ));
                }
                Some(_) => new_bearer(&endpoint, secret.as_ref(), mailbox),
                None => thorough_login(context, &endpoint, credential, mailbox).await?,
            };
            (endpoint, None, login)
        };
        let question = thorough(&endpoint, name.as_deref(), login, connections);
        Ok(Answer::one(run_test(&endpoint, name, question, with_instructions).await))
    }
}

impl Request {
    /// Refuses server parameters beside Endpoint, which has its own settings.
    fn is_alone(&self) -> Result<(), Failure> {
        let mechanism = names([("AuthMechanism", self.auth_mechanism.is_some())]);
        let mut others =
            self.kinds.given().chain(self.tokens.given()).chain(mechanism).chain(self.server.given());
        match others.next() {
            Some(name) => Err(Failure::invalid(format_args!(
                "either Endpoint or {name} can be given, not both: an endpoint has settings of its own"
            ))),
            None => Ok(()),
        }
    }

    /// Builds an endpoint that is not saved, and its secret.
    fn server(self, reach: Reach) -> Result<(Endpoint, Option<Secret>), Failure> {
        let endpoint_type = self.kinds.endpoint_type()?;
        if !self.server.names_server(endpoint_type) {
            return Err(Failure::invalid("RemoteServer or Endpoint must be given"));
        }
        let access = AccessParameters { tokens: self.tokens, ..AccessParameters::default() };
        let (server, secret) = self.server.endpoint(endpoint_type, access, reach)?;
        let auth_mechanism = self.auth_mechanism.as_deref().map(settings::auth_mechanism).transpose()?;
        Ok((Endpoint { auth_mechanism, ..server }, secret))
    }
}
