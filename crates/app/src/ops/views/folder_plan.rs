//! Where a folder goes.

use mailhaul_engine::FolderPlan;
use schemars::JsonSchema;
use serde::Serialize;

/// Where a folder goes, and why.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationFolderPlan {
    /// The user's e-mail address.
    identity: String,
    /// The folder on the source.
    source_folder: String,
    /// The folder on the target; nothing where it is left out.
    target_folder: Option<String>,
    /// Whether it is left out.
    is_left_out: bool,
    /// Whether the user is to see it subscribed.
    is_subscribed: bool,
    /// Messages in it, where the server tells.
    item_count: Option<u64>,
    /// Why it goes there, or is left out.
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
