//! Get-MigrationUser.

use std::collections::HashMap;

use mailhaul_migration::{Guid, Limit, MigrationUser as User, StatusSummary, UserStatus};
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{Parking, StoreError, UserFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    endpoints::EndpointNames,
    failures::told,
    nouns::USER,
    pages::Reading,
    views::{MigrationUser, Waiting},
};
use crate::context::Context;

/// Shows users.
pub(crate) struct GetMigrationUser;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The user's e-mail address or GUID; all where it is left out.
    identity: Option<String>,
    /// The same: an e-mail address.
    email_address: Option<String>,
    /// The same: a GUID.
    mailbox_guid: Option<String>,
    /// Users of this batch.
    batch_id: Option<String>,
    /// Users in this state.
    status: Option<UserStatus>,
    /// Users in a state of this kind.
    status_summary: Option<StatusSummary>,
    /// Users of whom a mailbox was found that cannot be opened; CheckError says why.
    #[serde(default)]
    check_failed: bool,
    /// How many at most, or unlimited; 1000 where nothing is said.
    result_size: Option<Limit>,
    /// Where the next part begins.
    continuation: Option<Continuation>,
}

impl Operation<Context> for GetMigrationUser {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str =
        "Shows users, where they stand, why they failed, and whose mailboxes cannot be opened.";
    const VIEW: &'static [&'static str] = &[
        "Identity",
        "BatchId",
        "Status",
        "SyncedItemCount",
        "SkippedItemCount",
        "LastSuccessfulSyncTime",
        "ErrorSummary",
        "CheckError",
    ];

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let batch = match &request.batch_id {
            Some(identity) => Some(context.store.batch(identity).await.map_err(told)?.batch.guid),
            None => None,
        };
        let names = [&request.identity, &request.email_address, &request.mailbox_guid];
        let mut names = names.into_iter().flatten();
        if let Some(identity) = names.next() {
            if names.next().is_some() {
                return Err(Failure::invalid(
                    "only one of Identity, EmailAddress and MailboxGuid can be given",
                ));
            }
            return one(context, identity, batch, &request).await;
        }
        let reading = Reading::new(request.result_size, request.continuation.as_ref())?;
        let filter = UserFilter {
            batch,
            status: request.status,
            summary: request.status_summary,
            failed_check: request.check_failed,
        };
        let page = context.store.users(&filter, reading.after, reading.limit()).await.map_err(told)?;
        let next = reading.next(&page);
        Ok(Answer::page(show(context, page.items).await?, next))
    }
}

/// One user, where it is as the filters say.
async fn one(
    context: &Context,
    identity: &str,
    batch: Option<Guid>,
    request: &Request,
) -> Result<Answer<MigrationUser>, Failure> {
    let user = context.store.user(identity, batch).await.map_err(told)?;
    let is_wanted = request.status.is_none_or(|it| it == user.status)
        && request.status_summary.is_none_or(|it| it == user.status.summary())
        && (!request.check_failed || user.check.has_failed());
    let users = if is_wanted { vec![user] } else { Vec::new() };
    Ok(Answer::all(show(context, users).await?))
}

/// What a user's batch adds to what is shown of it.
#[derive(Clone)]
struct ItsBatch {
    name: String,
    /// Whether mail goes to an endpoint, and not to the archive.
    has_target: bool,
    parked: Option<(String, Parking)>,
}

/// The users with the names of their batches and their numbers as they are now.
async fn show(context: &Context, users: Vec<User>) -> Result<Vec<MigrationUser>, Failure> {
    let endpoints = EndpointNames::load(context).await?;
    let mut batches: HashMap<Guid, ItsBatch> = HashMap::new();
    let mut shown = Vec::with_capacity(users.len());
    for user in users {
        let batch = match batches.get(&user.batch) {
            Some(known) => known.clone(),
            None => match context.store.batch_by_guid(user.batch).await {
                Ok(batch) => {
                    let its = ItsBatch {
                        parked: endpoints.parked(&batch),
                        has_target: batch.target_endpoint.is_some(),
                        name: batch.name,
                    };
                    batches.entry(user.batch).or_insert(its).clone()
                }
                // Removed since the users were read, and they with it.
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(told(error)),
            },
        };
        let statistics = context.workers.statistics(user.guid).unwrap_or(user.statistics);
        let forecast = context.workers.forecast(user.guid);
        let waiting = Waiting { now: context.now(), parked: batch.parked.as_ref(), forecast };
        shown.push(MigrationUser::of(user, (batch.name, batch.has_target), &statistics, &waiting));
    }
    Ok(shown)
}

/// The user as it is shown now.
pub(crate) async fn user_now(context: &Context, guid: Guid) -> Result<MigrationUser, Failure> {
    let user = context.store.user_by_guid(guid).await.map_err(told)?;
    let shown = show(context, vec![user]).await?.pop();
    shown.ok_or_else(|| told(StoreError::NotFound { what: "user", identity: guid.to_string() }))
}
