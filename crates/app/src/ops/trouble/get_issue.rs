//! Get-MigrationIssue.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::BatchFilter;
use schemars::JsonSchema;
use serde::Deserialize;

use super::issues::{self, MigrationIssue, Severity};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::ISSUE},
};

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
        let store = &context.store;
        let now = context.now();
        let batches = store.batches().list(&BatchFilter::default()).await.map_err(into_failure)?;
        let endpoints = store.endpoints().list().await.map_err(into_failure)?;
        let parked = store.jobs().parked(now).await.map_err(into_failure)?;
        let nodes = store.nodes().list().await.map_err(into_failure)?;
        let mut found = issues::of_batches(&batches);
        found.extend(issues::of_endpoints(&endpoints, &parked));
        found.extend(issues::of_nodes(&nodes));
        found.retain(|issue| request.severity.is_none_or(|it| it == issue.severity));
        found.sort_by_key(|issue| issue.severity);
        Ok(Answer::all(found))
    }
}
