//! View of a folder's target.

use mailhaul_engine::FolderPlan;
use schemars::JsonSchema;
use serde::Serialize;

/// Target of a folder, with the reason.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationFolderPlan {
    /// E-mail address of the user.
    identity: String,
    /// Folder on the source.
    source_folder: String,
    /// Folder on the target; null if the folder is left out.
    target_folder: Option<String>,
    /// True if the folder is left out.
    is_left_out: bool,
    /// True if the target folder will be subscribed.
    is_subscribed: bool,
    /// Messages in the folder, if the server tells.
    item_count: Option<u64>,
    /// Reason for the target, or for leaving the folder out.
    reason: String,
}

impl MigrationFolderPlan {
    pub(crate) fn of(identity: String, plan: FolderPlan) -> Self {
        Self {
            identity,
            source_folder: plan.source.to_string(),
            is_left_out: plan.target.is_none(),
            target_folder: plan.target.map(|it| it.to_string()),
            is_subscribed: plan.subscribe,
            item_count: plan.status.map(|it| u64::from(it.messages)),
            reason: plan.reason,
        }
    }
}
