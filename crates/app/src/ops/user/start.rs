//! Start-MigrationUser.

use mailhaul_migration::{BatchIntent, UserEvent};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{Due, StoreError, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{get::user_now, view::MigrationUser};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER, status_rules::user_refusal},
};

pub(crate) struct StartMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
}

impl Operation<Context> for StartMigrationUser {
    const VERB: Verb = Verb::Start;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Starts, resumes or retries one user. The batch then runs; its other users do not change.";
    const VIEW: &'static [&'static str] = &["Identity", "BatchId", "Status"];

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let store = &context.store;
        let now = context.now();
        let user = store.users().get(&request.identity, None).await.map_err(into_failure)?;
        let started =
            store.jobs().apply(Users::One(user.guid), UserEvent::Start, now, Due::AfterStart(now)).await;
        started.map_err(|error| refused(error, &user.email_address))?;
        let batch = store.batches().by_guid(user.batch).await.map_err(into_failure)?;
        if batch.intent != BatchIntent::Run {
            let runs = move |it: &mut mailhaul_migration::Batch| {
                (it.intent, it.started) = (BatchIntent::Run, Some(now));
            };
            store.batches().update(batch.guid, runs).await.map_err(into_failure)?;
        }
        context.wake().await;
        Ok(Answer::one(user_now(context, user.guid).await?))
    }
}

/// Maps the store's refusal of a status change.
pub(crate) fn refused(error: StoreError, address: &str) -> Failure {
    match error {
        StoreError::Illegal { reason, .. } => user_refusal(address, reason.status, reason.event),
        other => into_failure(other),
    }
}
