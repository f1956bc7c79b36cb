//! Get-MigrationUser.

use std::collections::HashMap;

use mailhaul_migration::{
    FailureClass, Guid, Limit, MigrationUser as User, StatusSummary, UserOrder, UserStatus,
};
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{Parking, StoreError, UserFilter, WindowPlace};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{MigrationUser, Waiting};
use crate::{
    context::Context,
    ops::{
        batch::endpoints::EndpointNames,
        shared::{failures::into_failure, nouns::USER, pages::Reading},
    },
};

pub(crate) struct GetMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// E-mail address or GUID of the user [default: all].
    identity: Option<String>,
    /// E-mail address of the user; the same as Identity.
    email_address: Option<String>,
    /// GUID of the user; the same as Identity.
    mailbox_guid: Option<String>,
    /// Only users of this batch.
    batch_id: Option<String>,
    /// Only users with one of these statuses.
    #[serde(default)]
    status: Vec<UserStatus>,
    /// Only users with a status of this group.
    status_summary: Option<StatusSummary>,
    /// Only users with a failed mailbox check; CheckError gives the reason.
    #[serde(default)]
    check_failed: bool,
    /// Only users whose last pass failed or was interrupted with one of these classes.
    #[serde(default)]
    error_class: Vec<FailureClass>,
    /// Only users whose pass is due and has not begun.
    #[serde(default)]
    is_waiting: bool,
    /// Only users with skipped messages.
    #[serde(default)]
    has_skipped_items: bool,
    /// Only users with this text in an address, a login or the failure, without regard to case.
    search: Option<String>,
    /// Property to sort by [default: the order of creation].
    sort_by: Option<UserOrder>,
    /// Sorts from the largest value to the smallest.
    #[serde(default)]
    descending: bool,
    /// Number of users to leave out at the beginning of the list.
    #[schemars(range(min = 0))]
    offset: Option<u64>,
    /// Maximum number of results, or unlimited [default: 1000].
    result_size: Option<Limit>,
    /// Start of the next part.
    continuation: Option<Continuation>,
}

impl Operation<Context> for GetMigrationUser {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows users with their status, failures, and mailbox checks.";
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
            Some(identity) => {
                Some(context.store.batches().get(identity).await.map_err(into_failure)?.batch.guid)
            }
            None => None,
        };
        let names = [&request.identity, &request.email_address, &request.mailbox_guid];
        let mut names = names.into_iter().flatten();
        let name = names.next();
        if names.next().is_some() {
            return Err(Failure::invalid("only one of Identity, EmailAddress and MailboxGuid can be given"));
        }
        let user = match name {
            Some(name) => Some(context.store.users().get(name, batch).await.map_err(into_failure)?.guid),
            None => None,
        };
        let reading = Reading::new(request.result_size, request.continuation.as_ref())?;
        let filter = UserFilter {
            user,
            batch,
            statuses: request.status,
            summary: request.status_summary,
            failed_check: request.check_failed,
            classes: request.error_class,
            waiting_at: request.is_waiting.then(|| context.now()),
            has_skipped: request.has_skipped_items,
            search: request.search,
        };
        if request.sort_by.is_some() || request.offset.is_some() || request.descending {
            let place = WindowPlace {
                order: request.sort_by.unwrap_or_default(),
                is_descending: request.descending,
                // Of a later page, the place is part of the continuation.
                offset: reading.offset().or(request.offset).unwrap_or(0),
                limit: reading.limit(),
            };
            let window = context.store.users().window(&filter, place).await.map_err(into_failure)?;
            let end = place.offset.saturating_add(window.items.len() as u64);
            let next = if end < window.total { reading.next_offset(end) } else { None };
            let shown = show(context, window.items).await?;
            return Ok(Answer { total: Some(window.total), ..Answer::page(shown, next) });
        }
        let page = context
            .store
            .users()
            .list(&filter, reading.after, reading.limit())
            .await
            .map_err(into_failure)?;
        let next = reading.next(&page);
        Ok(Answer::page(show(context, page.items).await?, next))
    }
}

/// Facts of a user's batch that are shown with the user.
#[derive(Clone)]
struct ItsBatch {
    name: String,
    /// False if mail goes to the archive.
    has_target: bool,
    parked: Option<(String, Parking)>,
}

/// Adds batch names and current numbers to the users.
async fn show(context: &Context, users: Vec<User>) -> Result<Vec<MigrationUser>, Failure> {
    let endpoints = EndpointNames::load(context).await?;
    let mut batches: HashMap<Guid, ItsBatch> = HashMap::new();
    let mut shown = Vec::with_capacity(users.len());
    for user in users {
        let batch = match batches.get(&user.batch) {
            Some(known) => known.clone(),
            None => match context.store.batches().by_guid(user.batch).await {
                Ok(batch) => {
                    let its = ItsBatch {
                        parked: endpoints.parked(&batch),
                        has_target: batch.target_endpoint.is_some(),
                        name: batch.name,
                    };
                    batches.entry(user.batch).or_insert(its).clone()
                }
                // The batch was removed after the users were read, and its users with it.
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(into_failure(error)),
            },
        };
        let statistics = context.workers.statistics(user.guid).unwrap_or(user.statistics);
        let forecast = context.workers.forecast(user.guid);
        let waiting = Waiting { now: context.now(), parked: batch.parked.as_ref(), forecast };
        shown.push(MigrationUser::of(user, batch.name, batch.has_target, &statistics, &waiting));
    }
    Ok(shown)
}

/// Loads the user and its numbers as they are now.
pub(crate) async fn user_now(context: &Context, guid: Guid) -> Result<MigrationUser, Failure> {
    let user = context.store.users().by_guid(guid).await.map_err(into_failure)?;
    let shown = show(context, vec![user]).await?.pop();
    shown.ok_or_else(|| into_failure(StoreError::NotFound { what: "user", identity: guid.to_string() }))
}
