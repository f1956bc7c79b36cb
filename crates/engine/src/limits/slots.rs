//! Slots: the limit on concurrent connection pairs of a group of mailboxes.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Each mailbox takes a slot during its pass, and so does each further connection pair. Clones share the slots.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Shared>);

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

/// A slot that is taken until it is dropped.
#[derive(Debug)]
pub struct Slot(Slots);

impl Slots {
    pub fn new(all: usize) -> Self {
        Self(Arc::new(Shared { count: Mutex::new(Count { all, taken: 0 }), freed: Notify::new() }))
    }

    /// Sets the number of slots. If more are taken, they stay so until they are given back.
    pub fn resize(&self, all: usize) {
        self.with(|count| count.all = all);
        self.0.freed.notify_waiters();
    }

    /// Waits for a slot.
    pub async fn take(&self) -> Slot {
        loop {
            let freed = self.0.freed.notified();
            if let Some(place) = self.try_take() {
                return place;
            }
            freed.await;
        }
    }

    /// Takes a slot if one is free now.
    pub fn try_take(&self) -> Option<Slot> {
        let is_free = self.with(|count| {
            let is_free = count.taken < count.all;
            count.taken += usize::from(is_free);
            is_free
        });
        is_free.then(|| Slot(self.clone()))
    }

    /// True if at most one slot is taken.
    pub fn is_alone(&self) -> bool {
        self.taken() <= 1
    }

    /// Number of taken slots.
    pub fn taken(&self) -> usize {
        self.with(|count| count.taken)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Count) -> T) -> T {
        change(&mut self.0.count.lock())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.with(|count| count.taken -= 1);
        self.0.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slots_are_taken_given_back_and_resized() {
        let slots = Slots::new(2);
        assert!(slots.is_alone());
        let first = slots.take().await;
        assert!(slots.is_alone());
        let second = slots.take().await;
        assert!(!slots.is_alone());
        assert!(slots.try_take().is_none());
        slots.resize(1);
        assert_eq!(slots.taken(), 2);
        drop(first);
        assert!(slots.try_take().is_none());
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.take().await }
        });
        tokio::task::yield_now().await;
        drop(second);
        let third = waiting.await.unwrap();
        slots.resize(2);
        assert!(slots.try_take().is_some());
        drop(third);
        assert_eq!(slots.taken(), 0);
    }
}
