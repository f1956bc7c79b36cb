//! The parts of the endpoints' limits that this node has.

use std::collections::HashMap;

use mailhaul_migration::Guid;
use mailhaul_store::{Part, ShareKind, Store, StoreError, Wish};

/// The whole of an endpoint's rates, in thousandths.
pub(super) const WHOLE_RATE: u64 = 1000;

/// Parts of limits. Empty on a data directory, where one process has the whole of each.
#[derive(Default)]
pub(super) struct Shares(HashMap<(Guid, ShareKind), Share>);

#[derive(Clone, Copy)]
struct Share {
    wish: Wish,
    part: Part,
}

impl Share {
    /// True if the database must be asked again.
    ///
    /// A node that has what it wants, and uses what it has, need not ask.
    fn is_settled(&self, wish: &Wish) -> bool {
        let Wish { limit, wanted, taken, .. } = *wish;
        (limit, wanted) == (self.wish.limit, self.wish.wanted)
            && self.part.may_begin >= wanted
            && taken <= self.part.may_begin
    }
}

impl Shares {
    /// Asks for the parts that changed; for all of them if `all`.
    ///
    /// A wish that is missing since the last call is given back.
    pub(super) async fn ask(
        &mut self,
        store: &Store,
        node: Guid,
        kind: ShareKind,
        mut wishes: Vec<Wish>,
        all: bool,
    ) -> Result<(), StoreError> {
        for (endpoint, known) in
            self.0.iter().filter(|((_, of), _)| *of == kind).map(|((it, _), share)| (it, share))
        {
            if wishes.iter().all(|wish| wish.endpoint != *endpoint) {
                wishes.push(Wish { wanted: 0, taken: 0, ..known.wish });
            }
        }
        wishes.retain(|wish| {
            let known = self.0.get(&(wish.endpoint, kind));
            let is_nothing = known.is_none() && wish.wanted == 0 && wish.taken == 0;
            !is_nothing && (all || known.is_none_or(|known| !known.is_settled(wish)))
        });
        if wishes.is_empty() {
            return Ok(());
        }
        let parts = store.nodes().divide(node, wishes.clone()).await?;
        for (wish, part) in wishes.into_iter().zip(parts) {
            if wish.wanted == 0 && wish.taken == 0 {
                self.0.remove(&(wish.endpoint, kind));
            } else {
                self.0.insert((wish.endpoint, kind), Share { wish, part });
            }
        }
        Ok(())
    }

    /// Returns the part of a limit; nothing if the node has not asked for it.
    pub(super) fn part(&self, endpoint: Guid, kind: ShareKind) -> Part {
        self.0.get(&(endpoint, kind)).map(|share| share.part).unwrap_or_default()
    }

    /// Forgets all parts, with the node that had them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
