//! Start-MigrationUser.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mailhaul_migration::{BatchIntent, Guid, UserEvent};
use mailhaul_operations::{Answer, Caller, Failure, ManyOutcome, Noun, Operation, Role, Verb};
use mailhaul_store::{Due, SelectedUser, StoreError, UserFilter, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    filters::{ChosenUsers, Selected, UserFilters},
    get::user_now,
    view::MigrationUser,
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER, status_rules::user_refusal},
};

pub(crate) struct StartMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(flatten)]
    chosen: ChosenUsers,
    #[serde(flatten)]
    filters: UserFilters,
}

impl Operation<Context> for StartMigrationUser {
    const VERB: Verb = Verb::Start;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Starts, resumes or retries one user or many. Their batch then runs; its other users do not change.";
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
    let now = context.now();
    let user = store.users().get(identity, None).await.map_err(into_failure)?;
    let started =
        store.jobs().apply(Users::One(user.guid), UserEvent::Start, now, Due::AfterStart(now)).await;
    started.map_err(|error| refused(error, &user.email_address))?;
    run_batch(context, user.batch, now).await?;
    context.wake().await;
    Ok(Answer::one(user_now(context, user.guid).await?))
}

async fn many(
    context: &Context,
    filter: UserFilter,
    mut refusals: Vec<(String, Failure)>,
) -> Result<Answer<MigrationUser>, Failure> {
    let now = context.now();
    let (event, due) = (UserEvent::Start, Due::AfterStart(now));
    let applied = context.store.users().apply_to(filter, event, now, due).await.map_err(into_failure)?;
    let batches: BTreeSet<Guid> = applied.changed.iter().map(|user| user.batch).collect();
    for batch in batches {
        run_batch(context, batch, now).await?;
    }
    context.wake().await;
    refusals.extend(refusals_of(applied.refused, event));
    Ok(Answer::many(ManyOutcome { changed: applied.changed.len() as u64, refusals }))
}

/// Lets the batch run.
async fn run_batch(context: &Context, guid: Guid, now: Timestamp) -> Result<(), Failure> {
    let batch = context.store.batches().by_guid(guid).await.map_err(into_failure)?;
    if batch.intent != BatchIntent::Run {
        let runs = move |it: &mut mailhaul_migration::Batch| {
            (it.intent, it.started) = (BatchIntent::Run, Some(now));
        };
        context.store.batches().update(guid, runs).await.map_err(into_failure)?;
    }
    Ok(())
}

/// Refusals of users whose status does not allow the event.
pub(super) fn refusals_of(
    users: Vec<SelectedUser>,
    event: UserEvent,
) -> impl Iterator<Item = (String, Failure)> {
    users.into_iter().map(move |user| {
        let failure = user_refusal(&user.email_address, user.status, event);
        (user.email_address, failure)
    })
}

/// Maps the store's refusal of a status change.
pub(crate) fn refused(error: StoreError, address: &str) -> Failure {
    match error {
        StoreError::Illegal { reason, .. } => user_refusal(address, reason.status, reason.event),
        other => into_failure(other),
    }
}
