//! Stop-MigrationUser.

use mailhaul_migration::UserEvent;
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{Due, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{get::user_now, start::refused, view::MigrationUser};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER},
    service::EndReason,
};

pub(crate) struct StopMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
}

impl Operation<Context> for StopMigrationUser {
    const VERB: Verb = Verb::Stop;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Stops one user. It finishes the messages that it is copying.";
    const VIEW: &'static [&'static str] = &["Identity", "BatchId", "Status"];

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let store = &context.store;
        let user = store.users().get(&request.identity, None).await.map_err(into_failure)?;
        let stopped =
            store.jobs().apply(Users::One(user.guid), UserEvent::Stop, context.now(), Due::Never).await;
        stopped.map_err(|error| refused(error, &user.email_address))?;
        context.workers.end(user.guid, EndReason::Stopped);
        context.wake().await;
        Ok(Answer::one(user_now(context, user.guid).await?))
    }
}
