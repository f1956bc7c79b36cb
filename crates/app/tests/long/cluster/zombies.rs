//! A node is stopped in mid-window for longer than its lease, another one finishes its mailboxes, and it wakes.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use mailhaul_imap::{MailboxName, Session, StatusItem};
use mailhaul_testkit::{Dovecot, Mailmaker, connect, signal};

use super::{Cluster, Plan, wait_for_mailboxes};
use crate::{
    clock::{JumpingClock, clean_up_after},
    service::{Service, until},
    support::{extent, first_seed},
};

const PLAN: Plan = Plan { mailboxes: 3, messages: 1_200, size: 400, rate: None, lease: 9, seed: 0 };

/// Rounds for each `EXTENT`.
const ROUNDS: u64 = 2;
/// Rounds of the control for each `EXTENT`, at most this many: doubled messages are expected in the first.
const CONTROLS: u64 = 6;

/// Number of messages in the target's INBOX.
async fn count(target: &mut Session) -> u32 {
    let inbox = [MailboxName::from_wire("INBOX")];
    let status = target.status_many(&inbox, &[StatusItem::Messages]).await.unwrap();
    status[0].as_ref().unwrap().messages.unwrap_or_default()
}

/// Stops the node when the first mailbox has this number of messages. Returns the unsent messages of all.
async fn stop_at(cluster: &Cluster, node: &Service, messages: u32) -> usize {
    let user = &cluster.users[0];
    let mut target = connect(cluster.to.port(), user, &Dovecot::password(user)).await;
    let begun = Instant::now();
    while count(&mut target).await < messages {
        assert!(begun.elapsed() < Duration::from_mins(2), "{}", cluster.logs());
    }
    signal("STOP", &[node.id()]);
    cluster.plan.mailboxes * cluster.plan.messages - cluster.arrivals().len()
}

/// A digest of the ledger.
fn ledger(cluster: &Cluster) -> String {
    cluster.server.ask("SELECT count(*), sum(hashtext(message::text)) FROM message")
}

/// Stops, finishes and wakes a node. Returns the messages that it had not sent, and the doubled ones.
async fn wake_after_takeover(seed: u64, clock: bool) -> (usize, usize) {
    let plan = Plan { seed, ..PLAN };
    let cluster = Cluster::new(plan).await;
    let mut first = cluster.machine(cluster.database.port());
    let clock = if clock {
        let clock = JumpingClock::install_for_all_clocks(&mut first);
        assert!(clock.is_some(), "scripts/servers.sh installs libfaketime");
        clock
    } else {
        None
    };
    cluster.run(&mut first, "mail1");
    cluster.start_batch(&first, 10);
    let before = wait_for_mailboxes(&cluster, "mail1", 0);
    let all = u64::try_from(plan.messages).unwrap();
    let messages = u32::try_from(1 + Mailmaker::new(seed).number(all * 3 / 4)).unwrap();
    let unsent = stop_at(&cluster, &first, messages).await;
    let stopped = Instant::now();
    let second = cluster.node("mail2");
    cluster.wait_until_synced();
    cluster.assert_same("before the first node wakes").await;
    let finished = ledger(&cluster);
    if let Some(clock) = &clock {
        // For this node no time has passed, as for a machine whose clocks stood still.
        clock.set(-i64::try_from(stopped.elapsed().as_secs() + 1).unwrap());
    }
    signal("CONT", &[first.id()]);
    // It notices that it was lost, and joins again.
    until(|| {
        let guid = cluster.guid_of("mail1");
        (!guid.is_empty() && guid != before).then_some(())
    });
    sleep(Duration::from_secs(1));
    assert_eq!(ledger(&cluster), finished, "the first node wrote into the ledger");
    let doubled = cluster.doubled().await;
    if clock.is_none() {
        cluster.assert_same("after the first node woke").await;
    }
    let process = first.id();
    drop((first, second));
    clean_up_after(process);
    (unsent, doubled)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_wakes_after_a_takeover_doubles_nothing() {
    let (mut in_mid_window, count) = (0, ROUNDS * extent());
    for round in 0..count {
        let (unsent, _) = wake_after_takeover(1_000 * first_seed() + 2 * round, false).await;
        in_mid_window += u64::from(unsent > 0);
        println!("round {round}: stopped with {unsent} messages to send, none doubled");
    }
    println!("{in_mid_window} of {count} nodes were stopped with messages to send");
    assert!(in_mid_window > 0, "no node was stopped in the middle");
}

/// The control: a node whose clocks stood still believes that its permit is valid.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_clock_that_runs_the_same_doubles_messages() {
    for round in 0..CONTROLS {
        let (unsent, doubled) = wake_after_takeover(1_000 * first_seed() + 2 * round, true).await;
        println!("control {round}: stopped with {unsent} messages to send, {doubled} doubled");
        if doubled > 0 {
            return;
        }
    }
    panic!("the trial doubles nothing without a permit's clock: it proves nothing");
}
