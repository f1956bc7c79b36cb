//! What holds for all batches.

use uuid::Uuid;

use crate::limit::Limit;

/// The service's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationConfig {
    /// Batches that there may be.
    pub max_number_of_batches: Limit,
    /// Mailboxes under way at once, over all endpoints.
    pub max_concurrent_migrations: Limit,
    /// Where mail goes, where a batch does not say; `None` for the archive in the data directory.
    pub target_endpoint: Option<Uuid>,
}

impl Default for MigrationConfig {
    fn default() -> Self {
        Self {
            max_number_of_batches: Limit::At(100),
            max_concurrent_migrations: Limit::At(300),
            target_endpoint: None,
        }
    }
}
