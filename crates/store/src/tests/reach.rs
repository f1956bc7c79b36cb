//! An order over a large batch reaches workers on another node by a message.

use std::time::Instant;

use mailhaul_migration::{BatchIntent, UserEvent, UserStatus};

use super::{at, batch, claim, endpoint, node, on_server, row};
use crate::{Claim, Due, Wake};

const USERS: usize = 50_000;
/// Users with a pass on the other node.
const RUNNING: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_of_fifty_thousand_users_reaches_another_node() {
    let (home, one) = on_server().await;
    let two = home.open().await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let rows = (0..USERS).map(|number| row(number + 2, &format!("user{number}"))).collect();
    let sales = one.batches().insert(batch("Sales", &source, BatchIntent::Run), rows).await.unwrap().batch;
    let owner = two.nodes().take_service(node()).await.unwrap().owner();
    let claimed = two.jobs().claim(Claim { limit: RUNNING, ..claim(&source, owner, 10) }).await.unwrap();
    assert_eq!(claimed.len(), RUNNING as usize);
    let mut wakes = two.nodes().wakes().await.unwrap().unwrap();

    let begun = Instant::now();
    let order = one.batches().order(sales.guid, UserEvent::Stop, at(11), Due::Never, |batch| {
        batch.intent = BatchIntent::Stop;
    });
    assert_eq!(order.await.unwrap().users, USERS as u64);
    let committed = Instant::now();
    one.nodes().wake(Wake::Look).await.unwrap();
    // The other node looks at nothing before the message comes.
    assert_eq!(wakes.next().await.unwrap(), Wake::Look);
    let held = two.jobs().leases_of(owner).await.unwrap();
    let known = Instant::now();
    assert_eq!(held.len(), RUNNING as usize);
    assert!(held.values().all(|status| *status == UserStatus::Stopping), "{held:?}");
    println!(
        "an order over {USERS} users: {} ms until its commit, {} ms from there until another node knows it of its {RUNNING} workers",
        (committed - begun).as_millis(),
        (known - committed).as_millis()
    );
}
