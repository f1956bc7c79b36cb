//! The database moves: a synchronous standby is promoted, or an old backup is restored.

use std::{thread::sleep, time::Duration};

use mailhaul_testkit::Mailmaker;

use super::{Cluster, Plan};
use crate::{
    service::{Service, until},
    support::{extent, first_seed},
};

/// A trial of a database that moves while three nodes work.
const PLAN: Plan = Plan { mailboxes: 24, messages: 40, size: 1_500, rate: Some(4_000), lease: 60, seed: 0 };

/// Milliseconds after the promotion within which broken passes begin again.
const LONGEST_WAIT: i64 = 30_000;

fn nodes(cluster: &Cluster) -> [Service; 3] {
    ["mail1", "mail2", "mail3"].map(|name| cluster.node(name))
}

/// Waits until so many messages are on the target.
fn wait_for_messages(cluster: &Cluster, messages: usize) {
    until(|| (cluster.arrivals().len() >= messages).then_some(()));
}

/// No user fails, all go on, and nothing is lost or doubled.
async fn promote(seed: u64) {
    let mut cluster = Cluster::new(Plan { seed, ..PLAN }).await;
    let standby = cluster.server.synchronous_standby();
    let nodes = nodes(&cluster);
    cluster.start_batch(&nodes[0], PLAN.mailboxes);
    let all = PLAN.mailboxes * PLAN.messages;
    wait_for_messages(
        &cluster,
        1 + usize::try_from(Mailmaker::new(seed).number(all as u64 * 2 / 3)).unwrap(),
    );
    cluster.server.kill();
    standby.promote();
    cluster.database.lead_to(standby.port());
    let promoted = cluster.arrivals().len();
    cluster.server = standby;
    let since = cluster.number("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)");
    let held = "SELECT coalesce(string_agg(quote_literal(CAST(guid AS TEXT)), ','), '''''') FROM migration_user WHERE lease_owner IS NOT NULL";
    let held = cluster.server.ask(held);
    let waiting = "SELECT count(*) FROM migration_user WHERE status <> 'Synced' AND lease_owner IS NULL AND due IS NULL";
    assert_eq!(cluster.number(waiting), 0, "a user waits for nothing");
    cluster.wait_until_synced();
    let failed = "SELECT count(*) FROM migration_user WHERE status = 'Failed'";
    assert_eq!(cluster.number(failed), 0);
    let messages = cluster.assert_same("after the promotion").await;
    let again = cluster.server.ask(&format!(
        "SELECT count(*), coalesce(max(at) - {since}, 0) FROM (SELECT mailbox, min(at) AS at FROM seen_lease \
         WHERE owner IS NOT NULL AND at > {since} AND CAST(mailbox AS TEXT) IN ({held}) GROUP BY mailbox) AS again"
    ));
    let again: Vec<i64> = again.split('|').map(|it| it.parse().unwrap()).collect();
    println!(
        "{} passes were broken off by the promotion; the last began again after {} ms",
        again[0], again[1]
    );
    println!("promoted after {promoted} of {messages} messages: none lost, none doubled");
    assert!(again[1] <= LONGEST_WAIT, "{} ms, seed {seed}", again[1]);
    drop(nodes);
}

/// The ledger is set back to a backup of before. What was copied since then is found on the target.
async fn set_back(seed: u64) {
    let mut cluster = Cluster::new(Plan { seed, ..PLAN }).await;
    let nodes = nodes(&cluster);
    cluster.start_batch(&nodes[0], 12);
    let all = PLAN.mailboxes * PLAN.messages;
    let begin = 1 + usize::try_from(Mailmaker::new(seed).number(all as u64 / 3)).unwrap();
    wait_for_messages(&cluster, begin);
    let mut backup = cluster.server.backup();
    let at_backup = cluster.arrivals().len();
    wait_for_messages(&cluster, usize::midpoint(at_backup, all));
    sleep(Duration::from_millis(Mailmaker::new(seed + 1).number(3_000)));
    cluster.server.kill();
    backup.restart_elsewhere();
    cluster.database.lead_to(backup.port());
    let at_restore = cluster.arrivals().len();
    cluster.server = backup;
    cluster.wait_until_synced();
    let messages = cluster.assert_same("after the restore").await;
    println!(
        "backup after {at_backup}, restored after {at_restore} of {messages} messages: none lost, none doubled"
    );
    drop(nodes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_promotion_of_a_standby_loses_and_doubles_nothing() {
    for round in 0..extent().div_ceil(5) {
        promote(1_000 * first_seed() + round).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_set_back_loses_and_doubles_nothing() {
    for round in 0..extent().div_ceil(5) {
        set_back(1_000 * first_seed() + round).await;
    }
}
