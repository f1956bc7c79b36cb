//! Stop-MigrationUser.

use mailhaul_migration::UserEvent;
use mailhaul_operations::{Answer, Caller, Failure, ManyOutcome, Noun, Operation, Role, Verb};
use mailhaul_store::{Due, UserFilter, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    filters::{ChosenUsers, Selected, UserFilters},
    get::user_now,
    start::{refusals_of, refused},
    view::MigrationUser,
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER},
    service::EndReason,
};

pub(crate) struct StopMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(flatten)]
    chosen: ChosenUsers,
    #[serde(flatten)]
    filters: UserFilters,
}

impl Operation<Context> for StopMigrationUser {
    const VERB: Verb = Verb::Stop;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Stops one user or many. Each finishes the messages that it is copying.";
    const VIEW: &'static [&'static str] = &["Identity", "BatchId", "Status"];

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        match request.chosen.find(context, request.filters).await? {
            Selected::One(identity) => one(context, &identity).await,
            Selected::Many { filter, refusals } => many(context, filter, refusals).await,
        }
    }
}

async fn one(context: &Context, identity: &str) -> Result<Answer<MigrationUser>, Failure> {
    let store = &context.store;
    let user = store.users().get(identity, None).await.map_err(into_failure)?;
    let stopped = store.jobs().apply(Users::One(user.guid), UserEvent::Stop, context.now(), Due::Never).await;
    stopped.map_err(|error| refused(error, &user.email_address))?;
    context.workers.end(user.guid, EndReason::Stopped);
    context.wake().await;
    Ok(Answer::one(user_now(context, user.guid).await?))
}

async fn many(
    context: &Context,
    filter: UserFilter,
    mut refusals: Vec<(String, Failure)>,
) -> Result<Answer<MigrationUser>, Failure> {
    let event = UserEvent::Stop;
    let applied = context
        .store
        .users()
        .apply_to(filter, event, context.now(), Due::Never)
        .await
        .map_err(into_failure)?;
    for user in &applied.changed {
        context.workers.end(user.guid, EndReason::Stopped);
    }
    context.wake().await;
    refusals.extend(refusals_of(applied.refused, event));
    Ok(Answer::many(ManyOutcome { changed: applied.changed.len() as u64, refusals }))
}
