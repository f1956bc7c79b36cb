//! Endpoints of a batch, and their names.

use std::collections::HashMap;

use jiff::Timestamp;
use mailhaul_migration::{Batch, Endpoint, Guid};
use mailhaul_operations::Failure;
use mailhaul_store::{BatchOverview, Parking};

use super::view::{BatchNames, MigrationBatch};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, names::ARCHIVE},
};

/// Finds the target endpoint: the named one, else that of the configuration. `None` is the archive.
pub(crate) async fn target(context: &Context, named: Option<&str>) -> Result<Option<Endpoint>, Failure> {
    let store = &context.store;
    let target = match named {
        Some(name) if name.trim().eq_ignore_ascii_case(ARCHIVE) => None,
        Some(name) => Some(store.endpoint(name).await.map_err(into_failure)?),
        None => match store.config().await.map_err(into_failure)?.target_endpoint {
            Some(guid) => Some(store.endpoint_by_guid(guid).await.map_err(into_failure)?),
            None => None,
        },
    };
    // Another machine may continue the batch, and would write the rest of a mailbox into its own archive.
    if target.is_none() && store.is_on_server() {
        return Err(Failure::invalid("the database is on a server, and the archive is on one machine")
            .with_advice("Name a TargetEndpoint, or run the service without --database."));
    }
    Ok(target)
}

/// Names of all endpoints, and which of them are parked now.
pub(crate) struct EndpointNames {
    names: HashMap<Guid, String>,
    parked: HashMap<Guid, Parking>,
}

impl EndpointNames {
    pub(crate) async fn load(context: &Context) -> Result<Self, Failure> {
        let endpoints = context.store.endpoints().await.map_err(into_failure)?;
        let parked = context.store.parked(context.now()).await.map_err(into_failure)?;
        Ok(Self {
            names: endpoints.into_iter().map(|it| (it.guid, it.name)).collect(),
            parked: parked.into_iter().collect(),
        })
    }

    /// Name of the endpoint; `None` is the archive.
    pub(crate) fn of(&self, endpoint: Option<Guid>) -> String {
        let Some(guid) = endpoint else { return ARCHIVE.to_owned() };
        // An endpoint that was made after the names were loaded is shown by its GUID.
        self.names.get(&guid).cloned().unwrap_or_else(|| guid.to_string())
    }

    fn of_batch(&self, batch: &Batch) -> BatchNames {
        BatchNames {
            source: self.of(Some(batch.source_endpoint)),
            target: self.of(batch.target_endpoint),
            parked: self.parked(batch),
        }
    }

    /// Name and parking of the batch's endpoint that stays parked longest.
    pub(crate) fn parked(&self, batch: &Batch) -> Option<(String, Parking)> {
        let ends = [Some(batch.source_endpoint), batch.target_endpoint];
        let parked = ends.into_iter().flatten().filter_map(|it| Some((it, self.parked.get(&it)?)));
        let (endpoint, parking) = parked.max_by_key(|(_, it)| it.until)?;
        Some((self.of(Some(endpoint)), parking.clone()))
    }

    pub(crate) fn show(&self, overview: BatchOverview, now: Timestamp) -> MigrationBatch {
        let names = self.of_batch(&overview.batch);
        MigrationBatch::of(overview, names, now)
    }
}

/// Loads the batch and its numbers as they are now.
pub(crate) async fn batch_now(context: &Context, guid: Guid) -> Result<MigrationBatch, Failure> {
    let overview = context.store.batch(&guid.to_string()).await.map_err(into_failure)?;
    Ok(EndpointNames::load(context).await?.show(overview, context.now()))
}
