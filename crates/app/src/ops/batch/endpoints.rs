//! Endpoints of a batch, and their names.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use mailhaul_migration::{Batch, Endpoint, Guid};
use mailhaul_operations::Failure;
use mailhaul_store::{BatchOverview, Parking};

use super::view::{BatchNames, MigrationBatch};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, names::ARCHIVE},
};

/// Target of a batch.
pub(crate) struct Target {
    /// `None` is the archive.
    pub(crate) endpoint: Option<Endpoint>,
    /// Id of the archive, where several nodes serve one database.
    pub(crate) archive: Option<Guid>,
}

/// Finds the target: the named endpoint, else that of the configuration, or the archive.
pub(crate) async fn target(context: &Context, named: Option<&str>) -> Result<Target, Failure> {
    let store = &context.store;
    let endpoint = match named {
        Some(name) if name.trim().eq_ignore_ascii_case(ARCHIVE) => None,
        Some(name) => Some(store.endpoints().get(name).await.map_err(into_failure)?),
        None => match store.config().get().await.map_err(into_failure)?.target_endpoint {
            Some(guid) => Some(store.endpoints().by_guid(guid).await.map_err(into_failure)?),
            None => None,
        },
    };
    let archive =
        if endpoint.is_none() && store.is_on_server() { Some(archive(context).await?) } else { None };
    Ok(Target { endpoint, archive })
}

/// Returns the id of the archive of this node, else that of all nodes.
async fn archive(context: &Context) -> Result<Guid, Failure> {
    if let Some(archive) = context.store.archive() {
        return Ok(archive);
    }
    let nodes = context.store.nodes().list().await.map_err(into_failure)?;
    let found: BTreeSet<Guid> =
        nodes.iter().filter(|node| node.is_alive).filter_map(|node| node.archive).collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(archive), None) => Ok(archive),
        (Some(_), Some(_)) => Err(Failure::invalid("the nodes have different archives")
            .with_advice("Run the command at a node that has the archive. Get-MigrationNode shows them.")),
        (None, _) => Err(Failure::invalid("no node has an archive").with_advice(
            "Start a node with --archive DIR, or name a TargetEndpoint. Several nodes can have one archive, in a directory that they share.",
        )),
    }
}

/// Names of all endpoints, and which of them are parked now.
pub(crate) struct EndpointNames {
    names: HashMap<Guid, String>,
    parked: HashMap<Guid, Parking>,
}

impl EndpointNames {
    pub(crate) async fn load(context: &Context) -> Result<Self, Failure> {
        let endpoints = context.store.endpoints().list().await.map_err(into_failure)?;
        let parked = context.store.jobs().parked(context.now()).await.map_err(into_failure)?;
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
    let overview = context.store.batches().get(&guid.to_string()).await.map_err(into_failure)?;
    Ok(EndpointNames::load(context).await?.show(overview, context.now()))
}
