//! All issues of this moment.

use mailhaul_operations::Failure;
use mailhaul_store::BatchFilter;

use super::issues::{self, MigrationIssue};
use crate::{context::Context, ops::shared::failures::into_failure};

/// Returns what needs the administrator now; errors come first.
pub(crate) async fn issues_now(context: &Context) -> Result<Vec<MigrationIssue>, Failure> {
    let store = &context.store;
    let now = context.now();
    let batches = store.batches().list(&BatchFilter::default()).await.map_err(into_failure)?;
    let endpoints = store.endpoints().list().await.map_err(into_failure)?;
    let parked = store.jobs().parked(now).await.map_err(into_failure)?;
    let nodes = store.nodes().list().await.map_err(into_failure)?;
    let mut found = issues::of_batches(&batches);
    found.extend(issues::of_endpoints(&endpoints, &parked));
    found.extend(issues::of_nodes(&nodes));
    found.sort_by_key(|issue| issue.severity);
    Ok(found)
}
