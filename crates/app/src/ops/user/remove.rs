//! Remove-MigrationUser.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationUser;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER},
    service::EndReason,
};

pub(crate) struct RemoveMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
    /// Accepted for compatibility with Exchange scripts; has no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "nothing needs to be forced")]
    force: bool,
}

impl Operation<Context> for RemoveMigrationUser {
    const VERB: Verb = Verb::Remove;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Removes a user from its batch, with its passwords and report. Mail on the target stays.";

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let user = context.store.users().get(&request.identity, None).await.map_err(into_failure)?;
        context.store.users().remove(user.guid).await.map_err(into_failure)?;
        context.workers.end(user.guid, EndReason::Stopped);
        context.wake().await;
        Ok(Answer::none())
    }
}
