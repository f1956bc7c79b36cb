//! Set-MigrationConfig.

use mailhaul_migration::{CutoverPolicy, Guid, Limit, MigrationConfig as Config, SmtpSecurity};
use mailhaul_operations::{
    Answer, Caller, Change, Credential, Failure, Noun, Operation, Role, SecretText, Verb,
};
use mailhaul_store::NotificationSecret;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::{
    notification_changes::{NotificationChanges, SmtpChanges},
    show::show,
    view::MigrationConfig,
};
use crate::{
    context::Context,
    cutover::resolvers::parse,
    ops::shared::{
        failures::{at, changed_meanwhile, into_failure},
        names::ARCHIVE,
        nouns::CONFIG,
        revision::{self, Versioned},
    },
};

pub(crate) struct SetMigrationConfig;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Revision that the configuration must have; otherwise nothing is changed.
    if_revision: Option<String>,
    /// Maximum number of batches, or unlimited.
    max_number_of_batches: Option<Limit>,
    /// Maximum number of active mailboxes over all endpoints, or unlimited.
    max_concurrent_migrations: Option<Limit>,
    /// Default target of new batches; Archive or $null for the archive in the data directory.
    ///
    /// Existing batches keep their target.
    #[serde(default)]
    target_endpoint: Change<String>,
    /// Answer to the removal of a batch whose old server may still be needed [default: Warn].
    ///
    /// Off also ends all questions to DNS.
    cutover_policy: Option<CutoverPolicy>,
    /// Resolvers to ask beside those of the machine, as ADDRESS or ADDRESS:PORT; $null for none.
    ///
    /// They learn the domains of the batches.
    #[serde(default)]
    public_resolvers: Change<Vec<String>>,
    /// Server that takes the mails of notifications; $null for none.
    #[serde(default)]
    smtp_server: Change<String>,
    /// TCP port of the SMTP server; $null for the usual one of SmtpSecurity: 587, 465 or 25.
    #[serde(default)]
    smtp_port: Change<u16>,
    /// Encryption to the SMTP server: Tls is STARTTLS [default: Tls].
    smtp_security: Option<SmtpSecurity>,
    /// Login at the SMTP server; $null for none.
    #[serde(default)]
    smtp_credential: Change<Credential>,
    /// Sender of the mails [default: the user name of SmtpCredential].
    #[serde(default)]
    notification_from: Change<String>,
    /// URL that takes webhooks; $null for none.
    #[serde(default)]
    webhook_url: Change<String>,
    /// Secret that signs webhooks, as Standard Webhooks say: whsec_ and Base64, or a text.
    #[serde(default)]
    webhook_secret: Change<SecretText>,
}

impl Operation<Context> for SetMigrationConfig {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = CONFIG;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Changes the configuration for all batches.";

    type Request = Request;
    type Response = MigrationConfig;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationConfig>, Failure> {
        let store = &context.store;
        let target: Change<Guid> = match request.target_endpoint {
            Change::To(name) if !name.trim().eq_ignore_ascii_case(ARCHIVE) => {
                Change::To(store.endpoints().get(&name).await.map_err(at("TargetEndpoint"))?.guid)
            }
            Change::Keep => Change::Keep,
            Change::To(_) | Change::Clear => Change::Clear,
        };
        let resolvers = request.public_resolvers.try_map(|list| resolvers(&list))?;
        let before = store.config().get().await.map_err(into_failure)?.notifications;
        let changes = NotificationChanges {
            smtp: SmtpChanges {
                server: request.smtp_server,
                port: request.smtp_port,
                security: request.smtp_security,
                credential: request.smtp_credential,
                from: request.notification_from,
            },
            url: request.webhook_url,
            secret: request.webhook_secret,
        };
        let has_secret =
            store.config().secret(NotificationSecret::WebhookSecret).await.map_err(into_failure)?;
        let (servers, secrets) = changes.apply(&before, has_secret.is_some())?;
        let wanted = servers.clone();
        let expected = request.if_revision.clone();
        let (sender, found) = oneshot::channel();
        let change = move |it: &mut Config| {
            let is_expected = expected.is_none_or(|expected| expected == revision::of_config(it));
            _ = sender.send(it.clone());
            // Another caller may have changed the servers since they were checked.
            if !is_expected || it.notifications != before {
                return false;
            }
            it.notifications = servers;
            it.max_number_of_batches = request.max_number_of_batches.unwrap_or(it.max_number_of_batches);
            it.max_concurrent_migrations =
                request.max_concurrent_migrations.unwrap_or(it.max_concurrent_migrations);
            target.apply(&mut it.target_endpoint);
            it.cutover_policy = request.cutover_policy.unwrap_or(it.cutover_policy);
            match resolvers {
                Change::Keep => {}
                Change::Clear => it.public_resolvers.clear(),
                Change::To(resolvers) => it.public_resolvers = resolvers,
            }
            true
        };
        let config = store.config().update_with(change, secrets).await.map_err(into_failure)?;
        let found = found.await.map_err(Failure::internal)?;
        check_revision(context, found, request.if_revision.as_deref()).await?;
        if config.notifications != wanted {
            return Err(changed_meanwhile("configuration", "MigrationConfig"));
        }
        context.wake().await;
        Ok(Answer::one(show(context, config).await?))
    }
}

/// Refuses a request that expects another revision.
async fn check_revision(context: &Context, found: Config, expected: Option<&str>) -> Result<(), Failure> {
    let versioned = Versioned {
        what: "configuration".to_owned(),
        operation: "Set-MigrationConfig",
        // Calls of this operation name no object.
        names: vec![String::new()],
        revision: revision::of_config(&found),
    };
    if versioned.is_expected(expected) {
        return Ok(());
    }
    let current = show(context, found).await?;
    Err(versioned.refusal(context, &current).await)
}

fn resolvers(list: &[String]) -> Result<Vec<SocketAddr>, Failure> {
    let read = list.iter().map(|text| {
        parse(text).ok_or_else(|| {
            Failure::invalid(format_args!("PublicResolvers: \"{text}\" is no address of a resolver"))
                .with_advice("Example: 9.9.9.9, or [2620:fe::fe]:53")
        })
    });
    read.collect()
}
