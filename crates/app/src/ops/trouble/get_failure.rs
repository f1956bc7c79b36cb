//! Get-MigrationFailure.

use mailhaul_migration::FailureClass;
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::FAILURE},
};

pub(crate) struct GetMigrationFailure;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Only users of this batch.
    batch_id: Option<String>,
    /// Only failures of this class.
    error_class: Option<FailureClass>,
}

/// Cause for which users failed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationFailure {
    /// Name of the batch.
    batch_id: String,
    /// Class of the failure.
    error_class: FailureClass,
    /// Reason, with the server's words. `(user)` is the address or login of the user.
    message: String,
    /// Advice.
    advice: Option<String>,
    /// Number of users.
    count: u64,
    /// E-mail address of one of them.
    example: String,
}

impl Operation<Context> for GetMigrationFailure {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = FAILURE;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows why users failed: each cause once, with the number of its users.";
    const VIEW: &'static [&'static str] = &["BatchId", "ErrorClass", "Count", "Message", "Example"];

    type Request = Request;
    type Response = MigrationFailure;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationFailure>, Failure> {
        let store = &context.store;
        let batch = match &request.batch_id {
            Some(identity) => Some(store.batches().get(identity).await.map_err(into_failure)?.batch.guid),
            None => None,
        };
        let causes = store.users().failure_causes(batch, request.error_class).await.map_err(into_failure)?;
        let mut shown = Vec::with_capacity(causes.len());
        for cause in causes {
            // A batch that was removed meanwhile has no users.
            let Ok(batch) = store.batches().by_guid(cause.batch).await else { continue };
            shown.push(MigrationFailure {
                batch_id: batch.name,
                error_class: cause.failure.class,
                message: cause.failure.message,
                advice: cause.failure.advice,
                count: cause.users,
                example: cause.example,
            });
        }
        Ok(Answer::all(shown))
    }
}
