//! The configuration that applies to all batches.

use mailhaul_migration::{CutoverPolicy, MigrationConfig};

use crate::{
    admin::endpoints::{self, limit, limit_column},
    db::{
        columns::Cells,
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Configuration,
};

impl Configuration<'_> {
    /// Returns the configuration, or the defaults before its first change.
    pub async fn get(self) -> Result<MigrationConfig, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(load(connection))).await
    }

    /// Changes the configuration. Returns it as it is stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the target endpoint does not exist.
    pub async fn update(
        self,
        change: impl FnOnce(&mut MigrationConfig) + Send + 'static,
    ) -> Result<MigrationConfig, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let mut config = load(connection).await?;
                change(&mut config);
                if let Some(target) = config.target_endpoint {
                    endpoints::find(connection, target).await?;
                }
                let resolvers = serde_json::to_string(&config.public_resolvers)
                    .map_err(|it| Fault::Json("public_resolvers", it))?;
                sql::query(
                    "INSERT INTO config (id, max_number_of_batches, max_concurrent_migrations, \
                     target_endpoint, cutover_policy, public_resolvers) VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET \
                     max_number_of_batches = excluded.max_number_of_batches, \
                     max_concurrent_migrations = excluded.max_concurrent_migrations, \
                     target_endpoint = excluded.target_endpoint, cutover_policy = excluded.cutover_policy, \
                     public_resolvers = excluded.public_resolvers",
                )
                .bind(limit_column(config.max_number_of_batches))
                .bind(limit_column(config.max_concurrent_migrations))
                .bind(config.target_endpoint)
                .bind(config.cutover_policy.to_string())
                .bind(resolvers)
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
    })
}
