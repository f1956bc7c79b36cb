//! Get-MigrationFolderPlan.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::folder_plan_view::MigrationFolderPlan;
use crate::{
    advice::explained,
    context::Context,
    ops::shared::{failures::into_failure, nouns::FOLDER_PLAN},
};

pub(crate) struct GetMigrationFolderPlan;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
}

impl Operation<Context> for GetMigrationFolderPlan {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = FOLDER_PLAN;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Shows the target of each folder of a user, with the reason. Changes nothing.";
    const VIEW: &'static [&'static str] = &["SourceFolder", "TargetFolder", "ItemCount", "Reason"];

    type Request = Request;
    type Response = MigrationFolderPlan;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationFolderPlan>, Failure> {
        let user = context.store.users().get(&request.identity, None).await.map_err(into_failure)?;
        let plans = Box::pin(context.service_context().folder_plan(&user)).await.map_err(|error| {
            Failure::unavailable(format_args!(
                "the folders of {} cannot be read: {}",
                user.email_address,
                explained(&error)
            ))
        })?;
        let shown = plans.into_iter().map(|it| MigrationFolderPlan::of(user.email_address.clone(), it));
        Ok(Answer::all(shown.collect()))
    }
}
