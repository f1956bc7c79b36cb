//! Metrics of this process.

use std::collections::BTreeMap;

use mailhaul_store::StoreError;

use super::page::Page;
use crate::context::Context;

/// Adds the mailboxes that this process migrates.
pub(super) async fn add(context: &Context, page: &mut Page) -> Result<(), StoreError> {
    let endpoints = context.store.endpoints().list().await?;
    let mut connections: BTreeMap<&str, u64> = endpoints.iter().map(|it| (it.name.as_str(), 0)).collect();
    for (_, worker) in context.workers.all() {
        let endpoint = endpoints.iter().find(|it| it.guid == worker.source.endpoint);
        if let Some(count) = endpoint.and_then(|it| connections.get_mut(it.name.as_str())) {
            *count += 1;
        }
    }
    page.head("mailhaul_endpoint_mailboxes", "gauge", "Active mailboxes at an endpoint.");
    for (endpoint, mailboxes) in connections {
        page.line("mailhaul_endpoint_mailboxes", &[("endpoint", endpoint)], mailboxes);
    }
    Ok(())
}
