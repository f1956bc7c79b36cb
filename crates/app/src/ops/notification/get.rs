//! Get-MigrationNotification.

use mailhaul_migration::Limit;
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationNotification;
use crate::{
    context::Context,
    ops::shared::{
        failures::{at, into_failure},
        nouns::NOTIFICATION,
        pages::Reading,
    },
};

pub(crate) struct GetMigrationNotification;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Only notifications of this batch.
    batch_id: Option<String>,
    /// Leaves out what was delivered.
    #[serde(default)]
    undelivered: bool,
    /// Maximum number of results, or unlimited [default: 1000].
    result_size: Option<Limit>,
    /// Start of the next part.
    continuation: Option<Continuation>,
}

impl Operation<Context> for GetMigrationNotification {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = NOTIFICATION;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Lists notifications, one for each receiver, newest first.";
    const VIEW: &'static [&'static str] =
        &["CreationTime", "Event", "BatchId", "Recipient", "Status", "Tries", "Error"];

    type Request = Request;
    type Response = MigrationNotification;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationNotification>, Failure> {
        let store = &context.store;
        let batch = match &request.batch_id {
            Some(name) => Some(store.batches().named(name).await.map_err(at("BatchId"))?.guid),
            None => None,
        };
        let reading = Reading::new(request.result_size, request.continuation.as_ref())?;
        let page = store.outbox().list(batch, request.undelivered, reading.after, reading.limit());
        let page = page.await.map_err(into_failure)?;
        let next = reading.next(&page);
        Ok(Answer::page(page.items.into_iter().map(MigrationNotification::from).collect(), next))
    }
}
