//! Nodes on one server: their leases, their messages, and how they divide limits.

use std::time::Duration;

use mailhaul_migration::{BatchIntent, Guid, UserEvent, UserStatus};
use tokio::join;

use super::{Home, at, batch, claim, end, endpoint, node, on_server, rows, running};
use crate::{
    Claim, ClaimLimits, Due, NodeSettings, PassKind, Recovered, ShareKind, Store, StoreError, Users, Wake,
    Wish,
};

const LEASE: Duration = Duration::from_mins(1);

fn settings(name: &str) -> NodeSettings {
    NodeSettings { name: name.to_owned(), ..node() }
}

async fn join_as(store: &Store, name: &str) -> Guid {
    store.nodes().take_service(settings(name)).await.unwrap().owner()
}

/// Ends the lease of a node, as its silence does.
fn silence(home: &Home, node: Guid) {
    let Home::Server { server, .. } = home else { panic!("a test of a server") };
    server.ask(&format!("UPDATE node SET until = 0 WHERE guid = '{node}'"));
}

#[tokio::test]
async fn users_of_a_lost_node_continue_and_those_of_a_living_one_stay() {
    let (home, store) = on_server().await;
    let (source, _) = running(&store, &["anna", "berta", "carla"]).await;
    let (one, two) = (join_as(&store, "mail1").await, join_as(&store, "mail2").await);
    let of_one = store.jobs().claim(Claim { limit: 2, ..claim(&source, one, 10) }).await.unwrap();
    let of_two = store.jobs().claim(claim(&source, two, 10)).await.unwrap();
    assert_eq!((of_one.len(), of_two.len()), (2, 1));
    // The clock of a node does not count.
    assert_eq!(store.jobs().recover(at(1_000), Guid::new_v4()).await.unwrap(), Recovered::default());

    silence(&home, one);
    let nodes = store.nodes().list().await.unwrap();
    let seen: Vec<_> = nodes.iter().map(|it| (&*it.settings.name, it.mailboxes, it.is_alive)).collect();
    assert_eq!(seen, [("mail1", 2, false), ("mail2", 1, true)]);
    let recovered = store.jobs().recover(at(10), two).await.unwrap();
    assert_eq!(recovered, Recovered { users: 2, nodes: vec!["mail1".to_owned()] });
    assert_eq!(store.jobs().claim(claim(&source, two, 10)).await.unwrap().len(), 2);
    assert_eq!(store.nodes().list().await.unwrap().len(), 1);
    // The lost node learns of it.
    assert!(matches!(store.nodes().beat(one, LEASE).await, Err(StoreError::NodeLost { .. })));
    let late = end(UserEvent::Synced, 20, Due::Never);
    assert!(matches!(store.jobs().release(&of_one[0].lease, late).await, Err(StoreError::LeaseLost { .. })));
    assert!(store.nodes().beat(two, LEASE).await.is_ok());
    store.nodes().end(two).await.unwrap();
    assert_eq!(store.nodes().list().await.unwrap(), []);
}

#[tokio::test]
async fn a_lease_needs_its_owner_beside_its_number() {
    let (_home, store) = on_server().await;
    let (source, _) = running(&store, &["anna"]).await;
    let lease = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap()[0].lease;
    // A server that lost its last changes gives a number again.
    let stranger = crate::Lease { owner: Guid::new_v4(), ..lease };
    let released = store.jobs().release(&stranger, end(UserEvent::Synced, 20, Due::Never)).await;
    assert!(matches!(released, Err(StoreError::LeaseLost { .. })));
    store.jobs().release(&lease, end(UserEvent::Synced, 20, Due::Never)).await.unwrap();
}

#[tokio::test]
async fn a_node_sees_what_was_ordered_elsewhere() {
    let (_home, store) = on_server().await;
    let (source, sales) = running(&store, &["anna", "berta"]).await;
    let node = join_as(&store, "mail1").await;
    let claimed = store.jobs().claim(claim(&source, node, 10)).await.unwrap();
    let (anna, berta) = (claimed[0].lease, claimed[1].lease);
    store.jobs().apply(Users::One(anna.user), UserEvent::Stop, at(11), Due::Never).await.unwrap();
    let held = store.jobs().leases_of(node).await.unwrap();
    assert_eq!((held[&anna], held[&berta]), (UserStatus::Stopping, UserStatus::Validating));
    store.batches().remove(sales.guid).await.unwrap();
    assert!(store.jobs().leases_of(node).await.unwrap().is_empty());

    assert!(!store.nodes().beat(node, LEASE).await.unwrap().is_draining);
    assert_eq!(store.nodes().drain("MAIL1", true).await.unwrap(), [node]);
    assert!(
        store.nodes().beat(node, LEASE).await.unwrap().is_draining
            && store.nodes().is_draining(node).await.unwrap()
    );
    store.nodes().drain(&node.to_string(), false).await.unwrap();
    assert!(!store.nodes().is_draining(node).await.unwrap());
    let unknown = store.nodes().drain("mail9", true).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no node \"mail9\"");
}

#[tokio::test]
async fn messages_reach_all_nodes_also_after_a_restart_of_the_server() {
    let (mut home, one) = on_server().await;
    let two = home.open().await;
    let (mut first, mut second) =
        (one.nodes().wakes().await.unwrap().unwrap(), two.nodes().wakes().await.unwrap().unwrap());
    let batch = Guid::new_v4();
    one.nodes().wake(Wake::Restart(batch)).await.unwrap();
    assert_eq!(
        (first.next().await.unwrap(), second.next().await.unwrap()),
        (Wake::Restart(batch), Wake::Restart(batch))
    );
    let Home::Server { server, .. } = &mut home else { panic!("a test of a server") };
    server.restart();
    // A message may have been lost: it is time to look.
    assert_eq!(second.next().await.unwrap(), Wake::Look);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_claim_at_once_keep_the_limits() {
    let (home, one) = on_server().await;
    let two = home.open().await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let target = one.endpoints().insert(endpoint("New"), None).await.unwrap();
    let mut sales = batch("Sales", &source, BatchIntent::Run);
    sales.target_endpoint = Some(target.guid);
    let names: Vec<String> = (0..12).map(|it| format!("user{it}")).collect();
    one.batches().insert(sales, rows(&names.iter().map(String::as_str).collect::<Vec<_>>())).await.unwrap();
    let owners = [join_as(&one, "mail1").await, join_as(&two, "mail2").await];
    let limited = [
        ClaimLimits { users: Some(5), ..ClaimLimits::default() },
        ClaimLimits { at_target: Some(5), ..ClaimLimits::default() },
        ClaimLimits::default(),
    ];
    for round in 1..=30 {
        let limits = limited[round % limited.len()];
        let second = i64::try_from(round).unwrap() * 10;
        let asked = |owner| Claim {
            limits,
            limit: 4,
            kinds: vec![PassKind::First],
            target_endpoint: Some(target.guid),
            ..claim(&source, owner, second)
        };
        let (first, other) = join!(one.jobs().claim(asked(owners[0])), two.jobs().claim(asked(owners[1])));
        let begun = first.unwrap().len() + other.unwrap().len();
        let expected = if limits == ClaimLimits::default() { 8 } else { 5 };
        assert_eq!(begun, expected, "round {round}: {limits:?}");
        for owner in owners {
            one.jobs().give_back(at(second), owner).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_ask_at_once_divide_the_limit() {
    let (home, one) = on_server().await;
    let two = home.open().await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let nodes = [join_as(&one, "mail1").await, join_as(&two, "mail2").await];
    let wish = |wanted, taken| {
        vec![Wish { endpoint: source.guid, kind: ShareKind::Connections, limit: 7, taken, wanted }]
    };
    for round in 0..30 {
        let (first, other) =
            join!(one.nodes().divide(nodes[0], wish(7, 0)), two.nodes().divide(nodes[1], wish(7, 0)));
        let parts = [first.unwrap()[0].may_begin, other.unwrap()[0].may_begin];
        assert!(parts.iter().sum::<u64>() <= 7, "round {round}: {parts:?}");
        // The node that came first sees at its next question that another node wants its share.
        let mut settled = [0, 0];
        for _ in 0..2 {
            settled[0] = one.nodes().divide(nodes[0], wish(7, 0)).await.unwrap()[0].may_begin;
            settled[1] = two.nodes().divide(nodes[1], wish(7, 0)).await.unwrap()[0].may_begin;
        }
        settled.sort_unstable();
        assert_eq!(settled, [3, 4], "round {round}");
        for (store, node) in [(&one, nodes[0]), (&two, nodes[1])] {
            store.nodes().divide(node, wish(0, 0)).await.unwrap();
        }
    }
    // A lost node keeps its part until others have its users.
    one.nodes().divide(nodes[0], wish(7, 7)).await.unwrap();
    silence(&home, nodes[0]);
    assert_eq!(two.nodes().divide(nodes[1], wish(7, 0)).await.unwrap()[0].may_begin, 0);
    two.jobs().recover(at(10), nodes[1]).await.unwrap();
    assert_eq!(two.nodes().divide(nodes[1], wish(7, 0)).await.unwrap()[0].may_begin, 7);
}

#[tokio::test]
async fn a_directory_has_no_nodes() {
    let (_data, store) = super::directory().await;
    let lock = store.nodes().take_service(settings("mail1")).await.unwrap();
    assert!(store.nodes().beat(lock.owner(), LEASE).await.is_ok());
    assert_eq!(store.nodes().list().await.unwrap(), []);
    assert!(store.nodes().wakes().await.unwrap().is_none());
    let again = store.nodes().take_service(settings("mail2")).await.unwrap_err();
    assert!(matches!(again, StoreError::ServiceRuns { .. }));
    store.nodes().end(lock.owner()).await.unwrap();
}
