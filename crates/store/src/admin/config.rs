//! The configuration that applies to all batches.

use mailhaul_mail::Secret;
use mailhaul_migration::{CutoverPolicy, Guid, MigrationConfig, NotificationServers};

use crate::{
    admin::endpoints::{self, limit, limit_column},
    db::{
        columns::Cells,
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Configuration,
    vault::{Keys, SecretName, secrets},
};

/// Secret of a server that takes notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationSecret {
    /// Password of the SMTP server.
    SmtpPassword,
    /// Key that signs webhooks.
    WebhookSecret,
    /// URL that takes webhooks. Its path may be a secret.
    WebhookUrl,
}

impl NotificationSecret {
    /// Returns the owner in the vault, which is no user and no endpoint, and the name.
    fn place(self) -> (Guid, SecretName) {
        match self {
            Self::SmtpPassword => (Guid::from_u128(1), SecretName::AdminPassword),
            Self::WebhookSecret => (Guid::from_u128(2), SecretName::TokenSecret),
            Self::WebhookUrl => (Guid::from_u128(3), SecretName::TokenSecret),
        }
    }
}

impl Configuration<'_> {
    /// Returns the configuration, or the defaults before its first change.
    pub async fn get(self) -> Result<MigrationConfig, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(load(connection))).await
    }

    /// Returns a secret of a server that takes notifications; `None` if there is none.
    ///
    /// # Errors
    /// As [`Secrets::get`](crate::Secrets::get).
    pub async fn secret(self, which: NotificationSecret) -> Result<Option<Secret>, StoreError> {
        let (owner, name) = which.place();
        self.0.secrets().get(owner, name).await
    }

    /// Changes the configuration. Returns it as it is stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the target endpoint does not exist.
    pub async fn update(
        self,
        change: impl FnOnce(&mut MigrationConfig) + Send + 'static,
    ) -> Result<MigrationConfig, StoreError> {
        let change = move |config: &mut MigrationConfig| {
            change(config);
            true
        };
        self.update_with(change, Vec::new()).await
    }

    /// Changes the configuration with secrets of its servers, both or neither. `None` removes a secret.
    ///
    /// A change that returns false changes nothing.
    ///
    /// # Errors
    /// As [`Configuration::update`]; [`StoreError::VaultLocked`] with a secret before
    /// [`Secrets::unlock`](crate::Secrets::unlock).
    pub async fn update_with(
        self,
        change: impl FnOnce(&mut MigrationConfig) -> bool + Send + 'static,
        new: Vec<(NotificationSecret, Option<Secret>)>,
    ) -> Result<MigrationConfig, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        db.change(move |connection| {
            Box::pin(async move {
                let mut config = load(connection).await?;
                if !change(&mut config) {
                    return load(connection).await;
                }
                put_secrets(connection, &keys, new).await?;
                if let Some(target) = config.target_endpoint {
                    endpoints::find(connection, target).await?;
                }
                let resolvers = serde_json::to_string(&config.public_resolvers)
                    .map_err(|it| Fault::Json("public_resolvers", it))?;
                let notifications = serde_json::to_string(&config.notifications)
                    .map_err(|it| Fault::Json("notifications", it))?;
                sql::query(
                    "INSERT INTO config (id, max_number_of_batches, max_concurrent_migrations, \
                     target_endpoint, cutover_policy, public_resolvers, notifications) VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET \
                     max_number_of_batches = excluded.max_number_of_batches, \
                     max_concurrent_migrations = excluded.max_concurrent_migrations, \
                     target_endpoint = excluded.target_endpoint, cutover_policy = excluded.cutover_policy, \
                     public_resolvers = excluded.public_resolvers, notifications = excluded.notifications",
                )
                .bind(limit_column(config.max_number_of_batches))
                .bind(limit_column(config.max_concurrent_migrations))
                .bind(config.target_endpoint)
                .bind(config.cutover_policy.to_string())
                .bind(resolvers)
                .bind(notifications)
                .execute(&mut *connection)
                .await?;
                load(connection).await
            })
        })
        .await
    }
}

async fn load(connection: &mut Connection) -> Result<MigrationConfig, Fault> {
    let row = sql::query("SELECT config.* FROM config").fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(MigrationConfig::default()) };
    let cells = Cells(&row);
    Ok(MigrationConfig {
        max_number_of_batches: limit(cells, "max_number_of_batches")?,
        max_concurrent_migrations: limit(cells, "max_concurrent_migrations")?,
        target_endpoint: cells.get("target_endpoint")?,
        cutover_policy: match cells.get::<Option<&str>>("cutover_policy")? {
            Some(policy) => policy.parse().map_err(|_| Fault::Unreadable("cutover_policy"))?,
            None => CutoverPolicy::default(),
        },
        public_resolvers: match cells.get::<Option<&str>>("public_resolvers")? {
            Some(list) => serde_json::from_str(list).map_err(|_| Fault::Unreadable("public_resolvers"))?,
            None => Vec::new(),
        },
        notifications: match cells.get::<Option<&str>>("notifications")? {
            Some(servers) => serde_json::from_str(servers).map_err(|_| Fault::Unreadable("notifications"))?,
            None => NotificationServers::default(),
        },
    })
}

async fn put_secrets(
    connection: &mut Connection,
    keys: &Keys,
    new: Vec<(NotificationSecret, Option<Secret>)>,
) -> Result<(), Fault> {
    for (which, secret) in new {
        let (owner, name) = which.place();
        match secret {
            Some(secret) => secrets::put(connection, keys, name, &[(owner, secret)]).await?,
            None => secrets::remove(connection, owner).await?,
        }
    }
    Ok(())
}
