//! Get-MigrationIssue.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    issues::{MigrationIssue, Severity},
    issues_now::issues_now,
};
use crate::{context::Context, ops::shared::nouns::ISSUE};

pub(crate) struct GetMigrationIssue;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Only issues with this severity.
    severity: Option<Severity>,
}

impl Operation<Context> for GetMigrationIssue {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = ISSUE;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows what needs the administrator now: failed users, paused endpoints, skipped messages, mailboxes that cannot be opened, lost nodes.";
    const VIEW: &'static [&'static str] = &["Severity", "Object", "Message"];

    type Request = Request;
    type Response = MigrationIssue;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationIssue>, Failure> {
        let mut found = issues_now(context).await?;
        found.retain(|issue| request.severity.is_none_or(|it| it == issue.severity));
        Ok(Answer::all(found))
    }
}
