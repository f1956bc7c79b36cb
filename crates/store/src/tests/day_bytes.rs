//! Bytes of a day that several nodes reserve.

use mailhaul_migration::Guid;
use tokio::{join, task::yield_now};

use super::{at, endpoint, node, on_server};
use crate::{ByteAnswer, ByteRequest, CountedMailbox, Store, StoreError};

const LIMIT: u64 = 10_000;

fn request(endpoint: Guid, unsaved: u64, needed: u64, wanted: u64) -> ByteRequest {
    ByteRequest { endpoint, limit: LIMIT, unsaved, needed, wanted, first_hour: 0, hour: 24 }
}

/// A node that moves the bytes that it reserves.
struct Mover {
    store: Store,
    endpoint: Guid,
    node: Guid,
    reserved: u64,
    unsaved: u64,
    moved: u64,
}

impl Mover {
    async fn join(store: Store, endpoint: Guid) -> Self {
        let node = store.nodes().take_service(node()).await.unwrap().owner();
        Self { store, endpoint, node, reserved: 0, unsaved: 0, moved: 0 }
    }

    async fn reserve(&mut self, needed: u64, wanted: u64) -> ByteAnswer {
        let request = request(self.endpoint, self.unsaved, needed, wanted);
        let answer = self.store.jobs().reserve_bytes(self.node, request).await.unwrap();
        self.reserved = answer.reserved;
        answer
    }

    fn go(&mut self, bytes: u64) {
        let bytes = bytes.min(self.reserved);
        self.reserved -= bytes;
        self.unsaved += bytes;
        self.moved += bytes;
    }

    async fn save(&mut self) {
        let mailbox =
            CountedMailbox { endpoint: self.endpoint, name: "terry".to_owned(), node: Some(self.node) };
        self.store.jobs().add_usage(mailbox, vec![(24, self.unsaved)], 0).await.unwrap();
        self.unsaved = 0;
    }

    /// Moves messages until the day is used up.
    async fn work(mut self, mut seed: u64) -> Self {
        loop {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let size = 1 + (seed >> 33) % 40;
            if self.reserved < size && self.reserve(size, 150).await.reserved < size {
                self.save().await;
                self.reserve(0, 0).await;
                return self;
            }
            self.go(size);
            match (seed >> 20) % 8 {
                0 => self.save().await,
                1 => drop(self.reserve(0, 0).await),
                _ => yield_now().await,
            }
        }
    }
}

/// Bytes that count: used and reserved.
async fn counted_bytes(store: &Store, endpoint: Guid, node: Guid) -> u64 {
    let answer = store.jobs().reserve_bytes(node, request(endpoint, 0, 0, 0)).await.unwrap();
    answer.used.iter().map(|(_, bytes)| bytes).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_reserve_at_once_use_up_the_day_and_no_more() {
    let (home, one) = on_server().await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap().guid;
    let stores = [one.clone(), home.open().await, home.open().await];
    let mut movers = Vec::new();
    for store in stores {
        movers.push(Mover::join(store, source).await);
    }
    let [first, second, third] = <[Mover; 3]>::try_from(movers).ok().unwrap();
    let (first, second, third) = join!(first.work(1), second.work(2), third.work(3));
    let moved = first.moved + second.moved + third.moved;
    assert!(moved <= LIMIT, "{moved}");
    // The last message of each did not fit.
    assert!(moved > LIMIT - 3 * 40, "{moved}");
    assert_eq!(counted_bytes(&one, source, first.node).await, moved);
    assert_eq!(one.jobs().usage(source, None, 0).await.unwrap(), [(24, moved)]);
}

#[tokio::test]
async fn bytes_that_a_lost_node_has_reserved_count_as_used() {
    let (home, store) = on_server().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap().guid;
    let mut lost = Mover::join(store.clone(), source).await;
    let mut other = Mover::join(home.open().await, source).await;
    lost.reserve(1, 4_000).await;
    lost.go(3_000);
    lost.save().await;
    lost.go(500);
    assert_eq!(other.reserve(1, LIMIT).await.reserved, LIMIT - 4_000);
    other.reserve(0, 0).await;
    let super::Home::Server { server, .. } = &home else { panic!("a test of a server") };
    server.ask(&format!("UPDATE node SET until = 0 WHERE guid = '{}'", lost.node));
    // As long as it has its row, what it has reserved counts.
    assert_eq!(other.reserve(1, LIMIT).await.reserved, LIMIT - 4_000);
    store.jobs().recover(at(10), other.node).await.unwrap();
    assert_eq!(other.reserve(1, LIMIT).await.reserved, LIMIT - 4_000);
    let late = store.jobs().reserve_bytes(lost.node, request(source, 500, 1, 10)).await;
    assert!(matches!(late, Err(StoreError::NodeLost { .. })), "{late:?}");
    // A node that ends in order has given back what it did not move.
    other.go(100);
    other.save().await;
    other.reserve(0, 0).await;
    store.nodes().end(other.node).await.unwrap();
    let next = Mover::join(store.clone(), source).await;
    assert_eq!(counted_bytes(&store, source, next.node).await, 4_100);
}

#[tokio::test]
async fn a_lowered_limit_grants_nothing_and_a_large_message_passes_alone() {
    let (_home, store) = on_server().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap().guid;
    let mut mover = Mover::join(store.clone(), source).await;
    let large = mover.reserve(2 * LIMIT, 2 * LIMIT).await;
    assert_eq!(large, ByteAnswer { reserved: 2 * LIMIT, used: Vec::new() });
    mover.go(2 * LIMIT);
    assert_eq!(mover.reserve(1, 1).await.reserved, 0);
    mover.save().await;
    assert_eq!(mover.reserve(1, 1).await, ByteAnswer { reserved: 0, used: vec![(24, 2 * LIMIT)] });
    // An hour counts until a day has passed since its end.
    let next_day = ByteRequest { first_hour: 25, hour: 49, ..request(source, 0, 1, 5) };
    assert_eq!(store.jobs().reserve_bytes(mover.node, next_day).await.unwrap().reserved, 5);
    store.endpoints().remove(source).await.unwrap();
    assert_eq!(store.jobs().reserve_bytes(mover.node, next_day).await.unwrap(), ByteAnswer::default());
}
