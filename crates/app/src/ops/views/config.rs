//! What holds for all batches.

use mailhaul_migration::Limit;
use schemars::JsonSchema;
use serde::Serialize;

/// What holds for all batches.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationConfig {
    /// Always `MigrationConfig`: there is one.
    pub(crate) identity: &'static str,
    /// Batches that there may be.
    pub(crate) max_number_of_batches: Limit,
    /// Mailboxes under way at once, over all endpoints.
    pub(crate) max_concurrent_migrations: Limit,
    /// Where mail goes, where a batch does not say: an endpoint, or `Archive` for the archive in the data directory.
    pub(crate) target_endpoint: String,
    /// Whether there is room for another batch.
    pub(crate) can_submit_new_batch: bool,
    /// What kinds of migration there are.
    pub(crate) features: Vec<&'static str>,
    /// Always false: mailboxes are moved batch by batch.
    pub(crate) supports_cutover: bool,
}
