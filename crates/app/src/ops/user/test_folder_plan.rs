//! Test-MigrationFolderPlan.

use std::collections::BTreeMap;

use mailhaul_engine::FolderRules;
use mailhaul_migration::{Batch, BatchSettings, MigrationUser};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, StepUse, Steps, Verb};
use mailhaul_store::{StoreError, UserFilter};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::folder_plan_sums::{MigrationFolderPlanTest, PlanSums};
use crate::{
    advice::explained,
    context::Context,
    ops::{
        batch::settings_checks,
        shared::{
            failures::{into_failure, not_found},
            nouns::FOLDER_PLAN,
        },
    },
    output::text,
    probe::StepResult,
    service::access::pass_options::pass_options,
};

/// Users of a batch that are read without a choice.
const DEFAULT_USERS: u32 = 10;
/// Maximum number of chosen users. Each is signed in to both servers.
const MAX_USERS: usize = 100;

pub(crate) struct TestMigrationFolderPlan;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of a user, or name or GUID of a batch.
    identity: String,
    /// E-mail addresses of the batch's users to read [default: the first 10] [max: 100].
    #[serde(default)]
    users: Vec<String>,
    /// Target folders to try, instead of those of the batch; - leaves a folder out.
    folder_map: Option<BTreeMap<String, String>>,
    /// Folders to leave out, instead of those of the batch.
    exclude_folders: Option<Vec<String>>,
}

impl Operation<Context> for TestMigrationFolderPlan {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = FOLDER_PLAN;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Tries folder settings before they are saved: shows the target of each folder, summed over users, and folders \
                                 that meet in one target. Changes nothing.";
    const VIEW: &'static [&'static str] = &["UserCount", "Folders", "Clashes", "Failures"];
    const STEPS: StepUse = StepUse::Progress;

    type Request = Request;
    type Response = MigrationFolderPlanTest;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationFolderPlanTest>, Failure> {
        Self::run_in_steps(context, caller, request, &Steps::default()).await
    }

    async fn run_in_steps(
        context: &Context,
        _caller: &Caller,
        request: Request,
        steps: &Steps,
    ) -> Result<Answer<MigrationFolderPlanTest>, Failure> {
        let (batch, users) = chosen(context, &request).await?;
        let rules = rules(batch.settings, request.folder_map, request.exclude_folders)?;
        let service = context.service_context();
        let mut sums = PlanSums::default();
        for user in users {
            let address = user.email_address.clone();
            let (result, detail) = match Box::pin(service.folder_plan(&user, Some(&rules))).await {
                Ok(plans) => {
                    let folders = text::count(plans.len() as u64, "folder", "folders");
                    sums.add(&address, plans);
                    (StepResult::Success, folders)
                }
                Err(error) => {
                    let words = explained(&error).clone();
                    sums.fail(&address, words.clone());
                    (StepResult::Failed, words)
                }
            };
            steps.report(&json!({ "Step": address, "Result": result, "Detail": detail }));
        }
        Ok(Answer::one(sums.into_result(request.identity)))
    }
}

/// Finds the users to read, and their batch.
async fn chosen(context: &Context, request: &Request) -> Result<(Batch, Vec<MigrationUser>), Failure> {
    let (store, identity) = (&context.store, &request.identity);
    if request.users.len() > MAX_USERS {
        return Err(Failure::invalid(format_args!("Users may have at most {MAX_USERS} addresses")));
    }
    let batch = match store.batches().named(identity).await {
        Ok(batch) => batch,
        Err(StoreError::NotFound { .. }) if request.users.is_empty() => {
            let user = match store.users().get(identity, None).await {
                Err(StoreError::NotFound { .. }) => Err(not_found("user or batch", identity)),
                found => found.map_err(into_failure),
            }?;
            let batch = store.batches().by_guid(user.batch).await.map_err(into_failure)?;
            return Ok((batch, vec![user]));
        }
        Err(error) => return Err(into_failure(error)),
    };
    if request.users.is_empty() {
        let filter = UserFilter { batch: Some(batch.guid), ..UserFilter::default() };
        let users = store.users().list(&filter, None, DEFAULT_USERS).await.map_err(into_failure)?.items;
        return Ok((batch, users));
    }
    let mut users = Vec::with_capacity(request.users.len());
    for address in &request.users {
        let user = store.users().get(address, Some(batch.guid)).await;
        users.push(user.map_err(|error| into_failure(error).at("Users"))?);
    }
    Ok((batch, users))
}

/// Rules of the batch, with the draft in place of what it has.
fn rules(
    settings: BatchSettings,
    map: Option<BTreeMap<String, String>>,
    exclude: Option<Vec<String>>,
) -> Result<FolderRules, Failure> {
    let settings = BatchSettings {
        folder_map: match map {
            Some(map) => settings_checks::folder_map(map, None)?,
            None => settings.folder_map,
        },
        exclude_folders: match exclude {
            Some(folders) => settings_checks::folders("ExcludeFolders", folders)?,
            None => settings.exclude_folders,
        },
        ..settings
    };
    pass_options(&settings).map(|options| options.folders).map_err(Failure::invalid)
}
