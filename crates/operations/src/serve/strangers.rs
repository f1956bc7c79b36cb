//! TCP connections without a valid token. New ones replace the oldest, so that clients without a
//! token cannot keep others out.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

/// Maximum from one address, and from all.
const FROM_ONE: usize = 64;
const IN_ALL: usize = 256;

/// All connections without a valid token. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Strangers(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    last: u64,
    /// Oldest first.
    all: VecDeque<Stranger>,
}

struct Stranger {
    id: u64,
    address: IpAddr,
    cut: CancellationToken,
}

/// One connection. Dropping it removes it from the list.
pub(super) struct Guest {
    id: u64,
    /// Cancelled when the connection must be closed for a newer one.
    pub(super) cut: CancellationToken,
    strangers: Strangers,
}

impl Strangers {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock()
    }

    /// Adds a connection from this address.
    pub(super) fn enter(&self, address: IpAddr) -> Guest {
        let mut list = self.list();
        let from_here = list.all.iter().filter(|it| it.address == address).count();
        let oldest = if from_here >= FROM_ONE {
            list.all.iter().position(|it| it.address == address)
        } else {
            (list.all.len() >= IN_ALL).then_some(0)
        };
        if let Some(stranger) = oldest.and_then(|index| list.all.remove(index)) {
            stranger.cut.cancel();
        }
        list.last += 1;
        let (id, cut) = (list.last, CancellationToken::new());
        list.all.push_back(Stranger { id, address, cut: cut.clone() });
        Guest { id, cut, strangers: self.clone() }
    }
}

impl Guest {
    /// Removes the connection from the list, because the caller showed a valid token.
    pub(super) fn is_known(&self) {
        self.strangers.list().all.retain(|it| it.id != self.id);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.is_known();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_who_is_known_stays() {
        let strangers = Strangers::default();
        let here = IpAddr::from([127, 0, 0, 1]);
        let mut guests: Vec<Guest> = (0..FROM_ONE).map(|_| strangers.enter(here)).collect();
        guests[0].is_known();
        guests.push(strangers.enter(here));
        assert!(guests.iter().all(|it| !it.cut.is_cancelled()));
        guests.push(strangers.enter(here));
        let cut: Vec<usize> = (0..guests.len()).filter(|index| guests[*index].cut.is_cancelled()).collect();
        assert_eq!(cut, [1]);
        // A closed connection frees its place.
        drop(guests.remove(2));
        guests.push(strangers.enter(here));
        assert_eq!(guests.iter().filter(|it| it.cut.is_cancelled()).count(), 1);
        // From many addresses.
        let others: Vec<Guest> =
            (0..=u8::MAX).map(|number| strangers.enter(IpAddr::from([10, 0, 0, number]))).collect();
        assert!(others.iter().all(|it| !it.cut.is_cancelled()));
        assert_eq!(strangers.list().all.len(), IN_ALL);
    }
}
