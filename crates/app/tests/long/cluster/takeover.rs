//! One of three nodes is killed in the middle. The others continue within its lease and a beat.

use std::{thread::sleep, time::Duration};

use mailhaul_testkit::Mailmaker;

use super::{Cluster, Plan};
use crate::{
    service::until,
    support::{extent, first_seed},
};

/// Milliseconds in which a busy machine claims the mailboxes. A short lease does not shorten them.
const CLAIM_TIME: i64 = 4_000;

/// Returns the mailboxes of the killed node, and the milliseconds from its last beat until all ran elsewhere.
async fn kill_one(plan: Plan) -> (i64, i64) {
    let cluster = Cluster::new(plan).await;
    let mut nodes = ["mail1", "mail2", "mail3"].map(|name| cluster.node(name));
    cluster.start_batch(&nodes[1], plan.mailboxes);
    let busy = i64::try_from(plan.mailboxes).unwrap();
    // The first node takes all of them, and gives parts to the others.
    let held = "SELECT coalesce(sum(held), 0), coalesce(min(held), 0) FROM (SELECT node.guid, count(migration_user.guid) AS held \
        FROM node LEFT JOIN migration_user ON lease_owner = node.guid GROUP BY node.guid) AS nodes";
    until(|| {
        let held: Vec<i64> = cluster.server.ask(held).split('|').map(|it| it.parse().unwrap()).collect();
        (held[0] >= busy * 9 / 10 && held[1] >= busy / 5).then_some(())
    });
    // At a random moment.
    sleep(Duration::from_millis(Mailmaker::new(plan.seed).number(2_000)));
    let victim = usize::try_from(Mailmaker::new(plan.seed + 1).number(3)).unwrap() % 3;
    nodes[victim].kill();
    let name = ["mail1", "mail2", "mail3"][victim];
    let lost = cluster.guid_of(name);
    let held = format!(
        "SELECT string_agg(quote_literal(CAST(guid AS TEXT)), ',') FROM migration_user WHERE lease_owner = '{lost}'"
    );
    let (mailboxes, held) = (cluster.held_by(&lost), cluster.server.ask(&held));
    cluster.wait_until_synced();
    cluster.assert_same("after a node was killed").await;
    let facts = cluster.server.ask(&format!(
        "WITH next AS (SELECT mailbox, min(at) AS at FROM seen_lease WHERE CAST(mailbox AS TEXT) IN ({held}) AND owner <> '{lost}' \
         AND fence > (SELECT max(fence) FROM seen_lease AS mine WHERE mine.mailbox = seen_lease.mailbox AND owner = '{lost}') \
         GROUP BY mailbox) \
         SELECT count(*), coalesce(max(at), 0) - (SELECT max(beat) FROM seen_node WHERE node = '{lost}') FROM next"
    ));
    let facts: Vec<i64> = facts.split('|').map(|it| it.parse().unwrap()).collect();
    assert_eq!(facts[0], mailboxes, "each mailbox of the killed node ran elsewhere");
    (mailboxes, facts[1])
}

async fn rounds(plan: Plan, count: u64, claim_time: i64) {
    let (mut longest, mut all) = (0, 0);
    for round in 0..count {
        let plan = Plan { seed: 1_000 * first_seed() + round, ..plan };
        let (mailboxes, millis) = kill_one(plan).await;
        println!(
            "round {round}: {mailboxes} of {} mailboxes ran elsewhere {millis} ms after the last beat",
            plan.mailboxes
        );
        assert!(mailboxes > 0, "the killed node had no mailbox");
        assert!(
            millis <= plan.lease_millis() + plan.lease_millis() / 6 + claim_time,
            "{millis} ms after the last beat, lease {} s, seed {}",
            plan.lease,
            plan.seed
        );
        (longest, all) = (longest.max(millis), all + mailboxes);
    }
    println!("{count} of {count} rounds, {all} mailboxes taken over, {longest} ms at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_of_a_killed_node_run_elsewhere_in_time() {
    let mailboxes = if extent() > 1 { 100 } else { 30 };
    let plan = Plan { mailboxes, messages: 20, size: 3_000, rate: Some(3_000), lease: 12, seed: 0 };
    rounds(plan, extent(), CLAIM_TIME).await;
}

/// The default lease of a minute. One round for ten of the others.
#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_of_a_killed_node_run_elsewhere_within_70_seconds() {
    let mailboxes = if extent() > 1 { 100 } else { 20 };
    let plan = Plan { mailboxes, messages: 20, size: 3_000, rate: Some(3_000), lease: 60, seed: 0 };
    rounds(plan, extent().div_ceil(10), 0).await;
}
