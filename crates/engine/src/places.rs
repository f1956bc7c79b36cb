//! How many pairs of connections the process may have at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Each mailbox under way takes a place, and so does each of its further lanes. Clones share them.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, never looked at")] OwnedSemaphorePermit);

impl Places {
    /// So many.
    pub fn new(all: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// Waits for a place.
    pub async fn take(&self) -> Option<Place> {
        self.free.clone().acquire_owned().await.ok().map(Place)
    }

    /// A place that nobody waits for.
    pub fn spare(&self) -> Option<Place> {
        self.free.clone().try_acquire_owned().ok().map(Place)
    }

    /// Whether at most one place is taken.
    pub fn is_alone(&self) -> bool {
        self.free.available_permits() + 1 >= self.all
    }
}
