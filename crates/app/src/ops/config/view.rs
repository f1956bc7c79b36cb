//! View of the configuration for all batches.

use mailhaul_migration::{CutoverPolicy, Limit, SmtpSecurity};
use schemars::JsonSchema;
use serde::Serialize;

/// Configuration for all batches.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationConfig {
    /// Always `MigrationConfig`: there is one.
    pub(crate) identity: &'static str,
    /// Revision of the settings, for -IfRevision of Set-MigrationConfig.
    pub(crate) revision: String,
    /// Maximum number of batches.
    pub(crate) max_number_of_batches: Limit,
    /// Maximum number of active mailboxes over all endpoints.
    pub(crate) max_concurrent_migrations: Limit,
    /// Default target of new batches: an endpoint, or `Archive` for the archive in the data
    /// directory.
    pub(crate) target_endpoint: String,
    /// Answer to the removal of a batch that is not safe to remove.
    pub(crate) cutover_policy: CutoverPolicy,
    /// Resolvers that are asked beside those of the machine.
    pub(crate) public_resolvers: Vec<String>,
    /// Server that takes the mails of notifications; null if there is none.
    pub(crate) smtp_server: Option<String>,
    /// TCP port of the SMTP server.
    pub(crate) smtp_port: Option<u16>,
    /// Encryption to the SMTP server.
    pub(crate) smtp_security: Option<SmtpSecurity>,
    /// Login at the SMTP server; null if there is none.
    pub(crate) smtp_user_name: Option<String>,
    /// Sender of the mails.
    pub(crate) notification_from: Option<String>,
    /// Scheme and host of the URL that takes webhooks; null if there is none.
    pub(crate) webhook_url: Option<String>,
    /// True if another batch fits below MaxNumberOfBatches.
    pub(crate) can_submit_new_batch: bool,
    /// Supported kinds of migration.
    pub(crate) features: Vec<&'static str>,
    /// Always false: mailboxes are moved in batches.
    pub(crate) supports_cutover: bool,
}
