//! How many pairs of connections a group of mailboxes may have at once.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Each mailbox under way takes a place, and so does each of its further lanes. Clones share them.
#[derive(Clone, Debug)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    count: Mutex<Count>,
    freed: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    all: usize,
    taken: usize,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub struct Place(Places);

impl Places {
    /// So many.
    pub fn new(all: usize) -> Self {
        Self(Arc::new(Shared { count: Mutex::new(Count { all, taken: 0 }), freed: Notify::new() }))
    }

    /// From now on so many. Where more are taken, they stay so until they are given back.
    pub fn resize(&self, all: usize) {
        self.with(|count| count.all = all);
        self.0.freed.notify_waiters();
    }

    /// Waits for a place.
    pub async fn take(&self) -> Place {
        loop {
            let freed = self.0.freed.notified();
            if let Some(place) = self.spare() {
                return place;
            }
            freed.await;
        }
    }

    /// A place, if one is free now.
    pub fn spare(&self) -> Option<Place> {
        let is_free = self.with(|count| {
            let is_free = count.taken < count.all;
            count.taken += usize::from(is_free);
            is_free
        });
        is_free.then(|| Place(self.clone()))
    }

    /// Whether at most one place is taken.
    pub fn is_alone(&self) -> bool {
        self.taken() <= 1
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.with(|count| count.taken)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Count) -> T) -> T {
        change(&mut self.0.count.lock())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.with(|count| count.taken -= 1);
        self.0.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_taken_given_back_and_become_more_or_fewer() {
        let places = Places::new(2);
        assert!(places.is_alone());
        let first = places.take().await;
        assert!(places.is_alone());
        let second = places.take().await;
        assert!(!places.is_alone());
        assert!(places.spare().is_none());
        places.resize(1);
        assert_eq!(places.taken(), 2);
        drop(first);
        assert!(places.spare().is_none());
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.take().await }
        });
        tokio::task::yield_now().await;
        drop(second);
        let third = waiting.await.unwrap();
        places.resize(2);
        assert!(places.spare().is_some());
        drop(third);
        assert_eq!(places.taken(), 0);
    }
}
