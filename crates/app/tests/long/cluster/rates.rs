//! Connections and messages per second of an endpoint, as its servers see them.

use super::{Cluster, Plan, wait_for_mailboxes};
use crate::{service::until, support::first_seed};

const RATE: usize = 50;
const SECONDS: u64 = 10;
const MICROS: u64 = 1_000_000;

/// The most messages that arrived within any ten seconds, and the number of all.
fn most_in_ten_seconds(cluster: &Cluster) -> (usize, usize) {
    let times: Vec<u64> = cluster.arrivals().into_iter().map(|(at, _)| at).collect();
    let within =
        |first: usize| times[first..].iter().take_while(|at| **at < times[first] + SECONDS * MICROS).count();
    ((0..times.len()).map(within).max().unwrap_or_default(), times.len())
}

/// A node dies, and the limits are lowered and raised, while three nodes share them.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_keep_connections_and_messages_per_second() {
    let plan = Plan { mailboxes: 40, messages: 80, size: 800, rate: None, lease: 12, seed: first_seed() };
    let cluster = Cluster::new(plan).await;
    let mut nodes = ["mail1", "mail2", "mail3"].map(|name| cluster.node(name));
    let rate = RATE.to_string();
    cluster.start_batch_with(&nodes[0], 20, &["-MessagesPerSecond", &rate]);
    let all = plan.mailboxes * plan.messages;
    let wait_for = |messages: usize| until(|| (cluster.arrivals().len() >= messages).then_some(()));
    wait_for(all / 8);
    nodes[1].kill();
    wait_for(all / 4);
    let set = |connections: &str, rate: &str| {
        for endpoint in ["Old", "New"] {
            let limits = [
                "-MaxConcurrentMigrations",
                connections,
                "-MaxConcurrentIncrementalSyncs",
                "8",
                "-MessagesPerSecond",
                rate,
            ];
            nodes[0].expect(&[&["Set-MigrationEndpoint", endpoint][..], &limits].concat());
        }
    };
    set("8", "20");
    wait_for(all * 3 / 8);
    set("20", &rate);
    let again = cluster.node("mail2");
    wait_for_mailboxes(&cluster, "mail2", 0);
    cluster.wait_until_synced();
    cluster.assert_same("with limits").await;
    let (most, messages) = most_in_ten_seconds(&cluster);
    let connections = cluster.source.most();
    println!("{messages} messages: {most} in ten seconds at most, {connections} connections at most");
    assert!(most <= RATE * 10 + RATE, "{most} messages in ten seconds");
    assert!(connections <= 20, "{connections} connections");
    drop((nodes, again));
}

/// The nodes without work leave the rate to the third.
#[tokio::test(flavor = "multi_thread")]
async fn two_idle_nodes_leave_the_rate_to_the_third() {
    let plan = Plan { mailboxes: 1, messages: 1_500, size: 400, rate: None, lease: 12, seed: first_seed() };
    let cluster = Cluster::new(plan).await;
    let nodes = ["mail1", "mail2", "mail3"].map(|name| cluster.node(name));
    cluster.start_batch_with(&nodes[0], 20, &["-MessagesPerSecond", &RATE.to_string()]);
    cluster.wait_until_synced();
    let times: Vec<u64> = cluster.arrivals().into_iter().map(|(at, _)| at).collect();
    // The copy alone, without its begin.
    let times = &times[RATE..];
    let micros = times[times.len() - 1] - times[0];
    let in_ten_seconds = (times.len() as u64 - 1) * MICROS * 10 / micros;
    println!("{in_ten_seconds} of {} messages in ten seconds", RATE * 10);
    assert!(in_ten_seconds >= RATE as u64 * 10 * 95 / 100, "{in_ten_seconds} messages in ten seconds");
    cluster.assert_same("with a rate").await;
    drop(nodes);
}
