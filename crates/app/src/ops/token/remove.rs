//! Remove-MigrationApiToken.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationApiToken;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::API_TOKEN},
};

pub(crate) struct RemoveMigrationApiToken;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the token.
    identity: String,
}

impl Operation<Context> for RemoveMigrationApiToken {
    const VERB: Verb = Verb::Remove;
    const NOUN: Noun = API_TOKEN;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Revokes a token immediately. It stays in the list.";
    const VIEW: &'static [&'static str] = &["Identity", "Role", "RevokedDateTime"];

    type Request = Request;
    type Response = MigrationApiToken;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationApiToken>, Failure> {
        let revoked =
            context.store.tokens().revoke(&request.identity, context.now()).await.map_err(into_failure)?;
        Ok(Answer::one(MigrationApiToken::new(revoked)))
    }
}
