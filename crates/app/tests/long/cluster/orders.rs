//! An order that one node takes reaches the passes of another, also where the database sends no notifications.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use super::{Cluster, Plan};
use crate::{
    service::until,
    support::{extent, first_seed},
};

/// Replaces `pg_notify` for the sessions that begin from now on: it sends nothing.
const SILENCE: &str = "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''; \
    ALTER ROLE mailhaul SET search_path = public, pg_catalog";

/// Users of the batch. Those without a mailbox come last, and wait.
fn size() -> usize {
    if extent() > 1 { 50_000 } else { 1_000 }
}

/// Stops the batch by one node. Returns the milliseconds from the answer until no pass of the other one runs.
async fn stop(is_silent: bool) -> u128 {
    let plan =
        Plan { mailboxes: 20, messages: 60, size: 3_000, rate: Some(1_500), lease: 60, seed: first_seed() };
    let cluster = Cluster::new(plan).await;
    let first = cluster.node("mail1");
    if is_silent {
        cluster.server.ask(SILENCE);
    }
    let mut second = cluster.machine(cluster.database.port());
    cluster.run_with(&mut second, "mail2", &["--capacity", "10"]);
    cluster.start_batch_of(&first, &crate::service::names(size()), 20, &[]);
    let other = cluster.guid_of("mail2");
    until(|| (cluster.held_by(&other) == 10).then_some(()));
    let ordered = Instant::now();
    first.expect(&["Stop-MigrationBatch", "-Identity", "Staff"]);
    let answered = Instant::now();
    while cluster.held_by(&other) > 0 {
        assert!(answered.elapsed() < Duration::from_mins(2), "{}", cluster.logs());
        sleep(Duration::from_millis(20));
    }
    let (order, reached) = (answered - ordered, answered.elapsed());
    println!(
        "{} users, silent: {is_silent}: the order took {order:?}, the last pass ended {reached:?} later",
        size()
    );
    reached.as_millis()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_the_passes_of_another_node() {
    let millis = stop(false).await;
    assert!(millis <= 1_000, "{millis} ms after the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_the_passes_of_another_node_without_notifications() {
    let millis = stop(true).await;
    assert!(millis <= 12_000, "{millis} ms after the answer");
}
