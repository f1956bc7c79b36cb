//! View of the configuration.

use mailhaul_migration::{MigrationConfig as Config, SmtpServer};
use mailhaul_operations::Failure;
use mailhaul_store::BatchFilter;

use super::view::MigrationConfig;
use crate::{
    context::Context,
    ops::{
        batch::endpoints::EndpointNames,
        shared::{failures::into_failure, revision},
    },
};

/// Shows the configuration, and whether another batch fits below the limit.
pub(crate) async fn show(context: &Context, config: Config) -> Result<MigrationConfig, Failure> {
    let batches =
        context.store.batches().list(&BatchFilter::default()).await.map_err(into_failure)?.len() as u64;
    let servers = &config.notifications;
    let smtp = servers.smtp.as_ref();
    Ok(MigrationConfig {
        identity: "MigrationConfig",
        revision: revision::of_config(&config),
        max_number_of_batches: config.max_number_of_batches,
        max_concurrent_migrations: config.max_concurrent_migrations,
        target_endpoint: EndpointNames::load(context).await?.of(config.target_endpoint),
        cutover_policy: config.cutover_policy,
        public_resolvers: config.public_resolvers.iter().map(ToString::to_string).collect(),
        smtp_server: smtp.map(|smtp| smtp.host.clone()),
        smtp_port: smtp.map(SmtpServer::port),
        smtp_security: smtp.map(|smtp| smtp.security),
        smtp_user_name: smtp.and_then(|smtp| smtp.user_name.clone()),
        notification_from: smtp.and_then(|smtp| smtp.from.clone()),
        webhook_url: servers.webhook.clone(),
        can_submit_new_batch: config.max_number_of_batches.allows(batches),
        features: vec!["IMAP"],
        supports_cutover: false,
    })
}
