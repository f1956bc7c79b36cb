//! Get-MigrationApiToken.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationApiToken;
use crate::{
    context::Context,
    ops::shared::{
        failures::{into_failure, not_found},
        nouns::API_TOKEN,
    },
};

pub(crate) struct GetMigrationApiToken;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the token [default: all].
    identity: Option<String>,
}

impl Operation<Context> for GetMigrationApiToken {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = API_TOKEN;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Lists the tokens of the HTTP interface, without their secret values.";
    const VIEW: &'static [&'static str] =
        &["Identity", "Role", "CreationDateTime", "LastUsedDateTime", "RevokedDateTime"];

    type Request = Request;
    type Response = MigrationApiToken;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationApiToken>, Failure> {
        let mut tokens = context.store.tokens().list().await.map_err(into_failure)?;
        if let Some(identity) = &request.identity {
            tokens.retain(|it| {
                it.name.eq_ignore_ascii_case(identity) || it.guid.to_string().eq_ignore_ascii_case(identity)
            });
            if tokens.is_empty() {
                return Err(not_found("token", identity));
            }
        }
        Ok(Answer::all(tokens.into_iter().map(MigrationApiToken::new).collect()))
    }
}
