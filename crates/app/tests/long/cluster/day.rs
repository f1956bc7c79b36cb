//! Bytes of a day of an endpoint that three nodes share. The sizes on the target's disk count.

use super::{Cluster, Plan};
use crate::{service::until, support::first_seed};

const LIMIT: u64 = 300_000;
/// A higher limit of the same day.
const NEXT_LIMIT: u64 = 450_000;

fn moved(cluster: &Cluster) -> u64 {
    cluster.arrivals().into_iter().map(|(_, size)| size).sum()
}

/// Waits until the day is used up: the target is left alone, and no pass runs. Returns the bytes that were moved.
fn wait_for_end_of_day(cluster: &Cluster) -> u64 {
    let parked = "SELECT (SELECT count(*) FROM migration_user WHERE lease_owner IS NOT NULL) + \
        (CASE WHEN EXISTS (SELECT 1 FROM parking WHERE until > extract(epoch FROM clock_timestamp()) * 1000) THEN 0 ELSE 1 END)";
    until(|| (cluster.number(parked) == 0).then_some(()));
    moved(cluster)
}

/// A node dies before the day ends, and the limit is raised.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_never_exceed_the_bytes_of_a_day() {
    let plan =
        Plan { mailboxes: 24, messages: 30, size: 1_500, rate: Some(20_000), lease: 12, seed: first_seed() };
    let cluster = Cluster::new(plan).await;
    let mut nodes = ["mail1", "mail2", "mail3"].map(|name| cluster.node(name));
    let limit = LIMIT.to_string();
    cluster.start_batch_with(&nodes[0], 12, &["-BytesPerDay", &limit]);
    until(|| (moved(&cluster) >= LIMIT / 3).then_some(()));
    nodes[1].kill();
    let first = wait_for_end_of_day(&cluster);
    println!("{first} of {LIMIT} bytes");
    assert!(first <= LIMIT, "{first} bytes");
    // What the killed node had reserved counts as used.
    assert!(first > LIMIT / 2, "{first} bytes, {}", cluster.logs());
    let next = NEXT_LIMIT.to_string();
    for endpoint in ["Old", "New"] {
        nodes[0].expect(&["Set-MigrationEndpoint", endpoint, "-BytesPerDay", &next]);
    }
    until(|| (moved(&cluster) > LIMIT).then_some(()));
    let second = wait_for_end_of_day(&cluster);
    println!("{second} of {NEXT_LIMIT} bytes");
    assert!(second <= NEXT_LIMIT, "{second} bytes");
    for endpoint in ["Old", "New"] {
        nodes[0].expect(&["Set-MigrationEndpoint", endpoint, "-BytesPerDay", "$null"]);
    }
    cluster.wait_until_synced();
    cluster.assert_same("after the limit").await;
    drop(nodes);
}
