//! Configuration for all batches.

use std::net::SocketAddr;

use uuid::Uuid;

use crate::{cutover_settings::CutoverPolicy, notification::NotificationServers, number_or_unlimited::Limit};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationConfig {
    pub max_number_of_batches: Limit,
    /// Maximum number of active mailboxes over all endpoints.
    pub max_concurrent_migrations: Limit,
    /// Default target of new batches; `None` is the archive in the data directory.
    pub target_endpoint: Option<Uuid>,
    /// Answer to the removal of a batch that is not safe to remove.
    pub cutover_policy: CutoverPolicy,
    /// Resolvers that are asked beside those of the machine.
    pub public_resolvers: Vec<SocketAddr>,
    /// Servers that take notifications.
    pub notifications: NotificationServers,
}

impl Default for MigrationConfig {
    fn default() -> Self {
        Self {
            max_number_of_batches: Limit::At(100),
            max_concurrent_migrations: Limit::At(300),
            target_endpoint: None,
            cutover_policy: CutoverPolicy::default(),
            public_resolvers: Vec::new(),
            notifications: NotificationServers::default(),
        }
    }
}
