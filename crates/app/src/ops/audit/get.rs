//! Get-MigrationAuditLog.

use mailhaul_migration::Limit;
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::AuditEntry;
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationAuditLog;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::AUDIT_LOG, pages::Reading},
};

pub(crate) struct GetMigrationAuditLog;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Maximum number of results, or unlimited [default: 1000].
    result_size: Option<Limit>,
    /// Start of the next part.
    continuation: Option<Continuation>,
}

impl Operation<Context> for GetMigrationAuditLog {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = AUDIT_LOG;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Lists all changes with caller and time, newest first.";

    type Request = Request;
    type Response = MigrationAuditLog;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationAuditLog>, Failure> {
        let reading = Reading::new(request.result_size, request.continuation.as_ref())?;
        let page = context.store.audit().list(reading.after, reading.limit()).await.map_err(into_failure)?;
        let next = reading.next(&page);
        Ok(Answer::page(page.items.into_iter().map(show).collect(), next))
    }
}

fn show(entry: AuditEntry) -> MigrationAuditLog {
    MigrationAuditLog {
        run_date: entry.time,
        caller: entry.who,
        cmdlet_name: entry.operation,
        object_modified: entry.identity,
        outcome: entry.outcome,
    }
}
