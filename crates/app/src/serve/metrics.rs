//! Metrics in Prometheus' text format (version 0.0.4).

use std::{collections::BTreeMap, fmt::Write as _};

use mailhaul_migration::UserStatus;
use mailhaul_store::StoreError;
use strum::VariantArray as _;

use crate::context::Context;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns all metrics with their current values.
pub(crate) async fn metrics(context: &Context) -> Result<String, StoreError> {
    let mut page = Page::default();
    let counts = context.store.users().count(None).await?;
    page.head("mailhaul_users", "gauge", "Migration users by their status.");
    for status in UserStatus::VARIANTS {
        page.line("mailhaul_users", &[("status", &status.to_string())], counts.of(*status));
    }
    let totals = context.store.users().totals().await?;
    page.head("mailhaul_synced_messages", "gauge", "Messages on the targets.");
    page.line("mailhaul_synced_messages", &[], totals.synced_items);
    page.head("mailhaul_skipped_messages", "gauge", "Skipped messages.");
    page.line("mailhaul_skipped_messages", &[], totals.skipped_items);
    page.head("mailhaul_transferred_bytes", "gauge", "Bytes of mail sent.");
    page.line("mailhaul_transferred_bytes", &[], totals.bytes_transferred);
    page.head(
        "mailhaul_failures",
        "gauge",
        "Users whose last pass failed or was interrupted, by class of failure.",
    );
    for (class, users) in context.store.users().count_failures().await? {
        page.line("mailhaul_failures", &[("class", &class.to_string())], users);
    }
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
    let parked = context.store.jobs().parked(context.store.now()).await?;
    page.head(
        "mailhaul_endpoint_parked",
        "gauge",
        "1 if the endpoint is paused, because its server asked for a delay or is unreachable.",
    );
    for endpoint in &endpoints {
        let is_parked = parked.iter().any(|(guid, _)| *guid == endpoint.guid);
        page.line("mailhaul_endpoint_parked", &[("endpoint", &endpoint.name)], is_parked.into());
    }
    page.head("mailhaul_waiting_users", "gauge", "Users that wait for a retry after an interrupted pass.");
    page.line("mailhaul_waiting_users", &[], context.store.users().count_waiting(context.store.now()).await?);
    Ok(page.0)
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> =
            labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.head("a", "gauge", "An a.");
        page.line("a", &[("b", "c\"d\\e\nf")], 7);
        assert_eq!(page.0, "# HELP a An a.\n# TYPE a gauge\na{b=\"c\\\"d\\\\e\\nf\"} 7\n");
    }
}
