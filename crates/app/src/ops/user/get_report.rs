//! Get-MigrationUserReport.

use mailhaul_migration::Limit;
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::report_view::MigrationUserReport;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::USER_REPORT, pages::Reading},
};

pub(crate) struct GetMigrationUserReport;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
    /// Only lines after the one with this number.
    after: Option<u64>,
    /// Maximum number of results, or unlimited [default: 1000].
    result_size: Option<Limit>,
    /// Start of the next part.
    continuation: Option<Continuation>,
}

impl Operation<Context> for GetMigrationUserReport {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = USER_REPORT;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str =
        "Shows the lines of a user's report, oldest first; those after a number, if it grows.";
    const VIEW: &'static [&'static str] = &["Number", "CreationTime", "Message"];

    type Request = Request;
    type Response = MigrationUserReport;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationUserReport>, Failure> {
        let reading = Reading::new(request.result_size, request.continuation.as_ref())?;
        let user = context.store.users().get(&request.identity, None).await.map_err(into_failure)?;
        let after = reading.offset().or(request.after).unwrap_or(0);
        let page = context
            .store
            .reports()
            .numbered(user.guid, after, reading.limit())
            .await
            .map_err(into_failure)?;
        let next = reading.next(&page);
        let lines = page.items.into_iter();
        let lines = lines.map(|(number, entry)| MigrationUserReport::of(&user.email_address, number, entry));
        Ok(Answer::page(lines.collect(), next))
    }
}
