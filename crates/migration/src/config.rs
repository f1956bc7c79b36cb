//! Configuration for all batches.

use uuid::Uuid;

use crate::number_or_unlimited::Limit;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationConfig {
    pub max_number_of_batches: Limit,
    /// Maximum number of active mailboxes over all endpoints.
    pub max_concurrent_migrations: Limit,
    /// Default target of new batches; `None` is the archive in the data directory.
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
