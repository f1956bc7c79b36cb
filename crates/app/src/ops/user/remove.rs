//! Remove-MigrationUser.

use mailhaul_operations::{Answer, Caller, Failure, ManyOutcome, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    filters::{ChosenUsers, Selected, UserFilters},
    view::MigrationUser,
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER},
    service::EndReason,
};

pub(crate) struct RemoveMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(flatten)]
    chosen: ChosenUsers,
    #[serde(flatten)]
    filters: UserFilters,
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
        "Removes one user or many from their batch, with passwords and reports. Mail on the target stays.";

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let (filter, refusals) = match request.chosen.find(context, request.filters).await? {
            Selected::One(identity) => {
                let user = context.store.users().get(&identity, None).await.map_err(into_failure)?;
                context.store.users().remove(user.guid).await.map_err(into_failure)?;
                context.workers.end(user.guid, EndReason::Stopped);
                context.wake().await;
                return Ok(Answer::none());
            }
            Selected::Many { filter, refusals } => (filter, refusals),
        };
        let removed = context.store.users().remove_selected(filter).await.map_err(into_failure)?;
        for user in &removed {
            context.workers.end(user.guid, EndReason::Stopped);
        }
        context.wake().await;
        Ok(Answer::many(ManyOutcome { changed: removed.len() as u64, refusals }))
    }
}
