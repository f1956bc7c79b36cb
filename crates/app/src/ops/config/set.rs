//! Set-MigrationConfig.

use mailhaul_migration::{Guid, Limit};
use mailhaul_operations::{Answer, Caller, Change, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{show::show, view::MigrationConfig};
use crate::{
    context::Context,
    ops::shared::{
        failures::{at, into_failure},
        names::ARCHIVE,
        nouns::CONFIG,
    },
};

pub(crate) struct SetMigrationConfig;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Maximum number of batches, or unlimited.
    max_number_of_batches: Option<Limit>,
    /// Maximum number of active mailboxes over all endpoints, or unlimited.
    max_concurrent_migrations: Option<Limit>,
    /// Default target of new batches; Archive or $null for the archive in the data directory.
    ///
    /// Existing batches keep their target.
    #[serde(default)]
    target_endpoint: Change<String>,
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
        let change = move |it: &mut mailhaul_migration::MigrationConfig| {
            it.max_number_of_batches = request.max_number_of_batches.unwrap_or(it.max_number_of_batches);
            it.max_concurrent_migrations =
                request.max_concurrent_migrations.unwrap_or(it.max_concurrent_migrations);
            target.apply(&mut it.target_endpoint);
        };
        let config = store.config().update(change).await.map_err(into_failure)?;
        context.wake().await;
        Ok(Answer::one(show(context, config).await?))
    }
}
