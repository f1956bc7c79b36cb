//! A node that reaches its target and not the database.

use std::{thread::sleep, time::Duration};

use mailhaul_testkit::{Faults, Mailmaker, Proxy};

use super::{Cluster, Plan, wait_for_mailboxes};
use crate::{
    service::until,
    support::{extent, first_seed},
};

/// Time that a byte may need from the node to the notes of the proxy, on a busy machine.
const ON_THE_WAY: i64 = 1_000;

/// Returns milliseconds from the last beat: to the last byte to the target, and to the first claim of another node.
async fn cut_off(plan: Plan) -> (i64, i64) {
    let cluster = Cluster::new(plan).await;
    let way = Proxy::start(cluster.server.port(), Faults::default());
    let mut first = cluster.machine(way.port());
    cluster.run(&mut first, "mail1");
    cluster.start_batch(&first, plan.mailboxes);
    let all = i64::try_from(plan.mailboxes).unwrap();
    let lost = wait_for_mailboxes(&cluster, "mail1", all - 1);
    let second = cluster.node("mail2");
    // Each mailbox is in the middle of a message, which needs no answer of the database.
    until(|| (cluster.target.octets()[1] > 10_000 * plan.mailboxes as u64).then_some(()));
    sleep(Duration::from_millis(Mailmaker::new(plan.seed).number(2_000)));
    way.hold(true);
    until(|| {
        (cluster.number(&format!("SELECT count(*) FROM seen_node WHERE node = '{lost}'")) > 0).then_some(())
    });
    let beat = cluster.number(&format!("SELECT beat FROM seen_node WHERE node = '{lost}'"));
    let of_others = format!("SELECT min(at) FROM seen_lease WHERE owner <> '{lost}'");
    let takeover = until(|| cluster.server.ask(&of_others).parse::<i64>().ok());
    let times = cluster.target.times();
    let of_first = times.iter().filter(|it| i64::try_from(it.opened).unwrap() < takeover);
    let last_byte = of_first.map(|it| it.last_upload).max().unwrap();
    way.hold(false);
    cluster.wait_until_synced();
    cluster.assert_same("after a node was cut off").await;
    // It joins again.
    until(|| {
        let guid = cluster.guid_of("mail1");
        (!guid.is_empty() && guid != lost).then_some(())
    });
    sleep(Duration::from_secs(1));
    cluster.assert_same("after it was back").await;
    drop((first, second));
    (i64::try_from(last_byte).unwrap() - beat, takeover - beat)
}

async fn rounds(plan: Plan, count: u64) {
    for round in 0..count {
        let plan = Plan { seed: 1_000 * first_seed() + round, ..plan };
        let (last, takeover) = cut_off(plan).await;
        println!(
            "round {round}, lease {} s: the last byte {last} ms after the last beat, the takeover {takeover} ms after it",
            plan.lease
        );
        let permit = plan.lease_millis() * 2 / 3;
        assert!(last >= permit / 2, "{last} ms: it had nothing to send while it was cut off");
        assert!(last <= permit + ON_THE_WAY, "{last} ms, permit {permit} ms, seed {}", plan.seed);
        assert!(takeover >= plan.lease_millis(), "{takeover} ms, seed {}", plan.seed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_database_stops_to_write_before_others_begin() {
    let plan = Plan { mailboxes: 4, messages: 2, size: 300_000, rate: Some(10_000), lease: 15, seed: 0 };
    rounds(plan, extent()).await;
}

/// The default lease of a minute.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_last_byte_leaves_within_40_seconds() {
    let plan = Plan { mailboxes: 4, messages: 1, size: 700_000, rate: Some(10_000), lease: 60, seed: 0 };
    rounds(plan, extent().div_ceil(10)).await;
}
