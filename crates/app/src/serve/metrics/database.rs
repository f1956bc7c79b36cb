//! Metrics of the database: sums over all users, pauses of endpoints, and the nodes.

use jiff::Timestamp;
use mailhaul_migration::UserStatus;
use mailhaul_store::{Node, StoreError};
use strum::VariantArray as _;

use super::page::Page;
use crate::context::Context;

/// Adds the metrics that are the same on each node.
pub(super) async fn add(context: &Context, page: &mut Page) -> Result<(), StoreError> {
    let store = &context.store;
    add_users(context, page).await?;
    let parked = store.jobs().parked(store.now()).await?;
    page.head(
        "mailhaul_endpoint_parked",
        "gauge",
        "1 if the endpoint is paused, because its server asked for a delay or is unreachable.",
    );
    for endpoint in &store.endpoints().list().await? {
        let is_parked = parked.iter().any(|(guid, _)| *guid == endpoint.guid);
        page.line("mailhaul_endpoint_parked", &[("endpoint", &endpoint.name)], is_parked.into());
    }
    if store.is_on_server() {
        add_nodes(&store.nodes().list().await?, store.now(), page);
    }
    Ok(())
}

async fn add_users(context: &Context, page: &mut Page) -> Result<(), StoreError> {
    let users = context.store.users();
    let counts = users.count(None).await?;
    page.head("mailhaul_users", "gauge", "Migration users by their status.");
    for status in UserStatus::VARIANTS {
        page.line("mailhaul_users", &[("status", &status.to_string())], counts.of(*status));
    }
    let totals = users.totals().await?;
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
    for (class, count) in users.count_failures().await? {
        page.line("mailhaul_failures", &[("class", &class.to_string())], count);
    }
    page.head("mailhaul_waiting_users", "gauge", "Users that wait for a retry after an interrupted pass.");
    page.line("mailhaul_waiting_users", &[], users.count_waiting(context.store.now()).await?);
    Ok(())
}

/// One metric of a node.
type NodeMetric = (&'static str, &'static str, fn(&Node, Timestamp) -> u64);

/// The metrics of each node.
const NODE_METRICS: [NodeMetric; 5] = [
    ("mailhaul_node_alive", "1 if the node's lease holds; 0 if the node is lost.", |node, _| {
        node.is_alive.into()
    }),
    ("mailhaul_node_draining", "1 if the node begins no pass.", |node, _| node.is_draining.into()),
    ("mailhaul_node_mailboxes", "Mailboxes that the node migrates now.", |node, _| node.mailboxes),
    ("mailhaul_node_capacity", "Mailboxes that the node may migrate at the same time.", |node, _| {
        node.settings.capacity.into()
    }),
    (
        "mailhaul_node_last_beat_age_seconds",
        "Seconds since the node's last beat, by the database's clock.",
        |node, now| u64::try_from(now.duration_since(node.last_beat).as_secs()).unwrap_or_default(),
    ),
];

fn add_nodes(nodes: &[Node], now: Timestamp, page: &mut Page) {
    for (name, help, value) in NODE_METRICS {
        page.head(name, "gauge", help);
        for node in nodes {
            let guid = node.guid.to_string();
            page.line(name, &[("node", &node.settings.name), ("guid", &guid)], value(node, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use mailhaul_migration::Guid;
    use mailhaul_store::NodeSettings;

    use super::*;

    #[test]
    fn a_lost_node_is_shown_with_the_age_of_its_last_beat() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let settings = NodeSettings {
            name: "mail1".into(),
            program: "1".into(),
            capacity: 40,
            lease: Duration::from_mins(1),
        };
        let node = Node {
            guid: Guid::nil(),
            settings,
            archive: None,
            mailboxes: 7,
            keys: Vec::new(),
            is_draining: true,
            started: now,
            last_beat: now - SignedDuration::from_secs(75),
            is_alive: false,
        };
        let mut page = Page::default();
        add_nodes(&[node], now, &mut page);
        let values: Vec<_> = page.0.lines().filter(|line| !line.starts_with('#')).collect();
        let guid = Guid::nil();
        assert_eq!(
            values,
            [
                format!("mailhaul_node_alive{{node=\"mail1\",guid=\"{guid}\"}} 0"),
                format!("mailhaul_node_draining{{node=\"mail1\",guid=\"{guid}\"}} 1"),
                format!("mailhaul_node_mailboxes{{node=\"mail1\",guid=\"{guid}\"}} 7"),
                format!("mailhaul_node_capacity{{node=\"mail1\",guid=\"{guid}\"}} 40"),
                format!("mailhaul_node_last_beat_age_seconds{{node=\"mail1\",guid=\"{guid}\"}} 75"),
            ]
        );
    }
}
