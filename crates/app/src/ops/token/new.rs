//! New-MigrationApiToken.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationApiToken;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::API_TOKEN},
};

pub(crate) struct NewMigrationApiToken;

/// Rights of a token's owner.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, strum::Display)]
pub(crate) enum TokenRole {
    /// May read.
    Viewer,
    /// May run migrations.
    Operator,
    /// May do everything.
    Admin,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name of the token, as shown in the audit log.
    name: String,
    /// Rights of the token's owner.
    role: TokenRole,
}

impl Operation<Context> for NewMigrationApiToken {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = API_TOKEN;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Makes a token for the HTTP interface, and shows its value once.";
    const VIEW: &'static [&'static str] = &["Identity", "Role", "Token"];

    type Request = Request;
    type Response = MigrationApiToken;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationApiToken>, Failure> {
        let name = request.name.trim();
        if name.is_empty() {
            return Err(Failure::invalid("Name must not be empty"));
        }
        let made = context.store.tokens().create(name, &request.role.to_string(), context.now()).await;
        let (token, secret) = made.map_err(into_failure)?;
        Ok(Answer::one(MigrationApiToken::with_token(token, &secret)))
    }
}
