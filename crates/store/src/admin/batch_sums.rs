//! Sums of the users of batches, computed once a second for all who look.
//!
//! Invariant: a look shows every order that was committed before it, by any node. Orders count in the table
//! `user_changes`, and a look reads that number in its own transaction. What workers do is shown within
//! [`MAX_AGE`].

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use mailhaul_migration::{Batch, Guid};
use tokio::sync::Mutex;

use crate::{
    Store,
    admin::overview::{BatchOverview, sums},
    db::{
        error::{Fault, StoreError},
        sql::{self, Connection},
        writer::Work,
    },
};

/// Maximum age of shown sums.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Number of users from which sums are kept. Fewer users are added up at each look, which costs nothing.
const MIN_USERS: u64 = 1000;

/// Sums that looks share.
#[derive(Default)]
pub(crate) struct BatchSums {
    kept: Mutex<KeptSums>,
    /// Number of times that the users of a batch were added up.
    computed: AtomicU64,
    /// Maximum age in milliseconds; 0 for [`MAX_AGE`].
    max_age: AtomicU64,
}

#[derive(Default)]
struct KeptSums {
    /// Orders that the sums include.
    orders: i64,
    of_batches: HashMap<Guid, (Instant, BatchOverview)>,
}

impl KeptSums {
    /// Sums of the batch that are new enough.
    fn fresh(&self, batch: Guid, max_age: Duration) -> Option<&BatchOverview> {
        let users: u64 = self.of_batches.values().map(|(_, sums)| sums.counts.total()).sum();
        let (computed, sums) = self.of_batches.get(&batch)?;
        (users >= MIN_USERS && computed.elapsed() < max_age).then_some(sums)
    }
}

impl BatchSums {
    /// Returns the batch with its sums, which are at most a second old.
    pub(crate) async fn of(&self, connection: &mut Connection, batch: Batch) -> Result<BatchOverview, Fault> {
        let orders = orders(connection).await?;
        // Held while the sums are computed: others who look wait for them.
        let mut kept = self.kept.lock().await;
        if orders > kept.orders {
            *kept = KeptSums { orders, ..KeptSums::default() };
        }
        if let Some(sums) = kept.fresh(batch.guid, self.max_age()) {
            return Ok(sums.with_batch(batch));
        }
        let found = sums(connection, batch).await?;
        self.computed.fetch_add(1, Ordering::Relaxed);
        // A read that began before another order knows less than the others.
        if orders == kept.orders {
            kept.of_batches.insert(found.batch.guid, (Instant::now(), found.clone()));
        }
        Ok(found)
    }

    fn max_age(&self) -> Duration {
        match self.max_age.load(Ordering::Relaxed) {
            0 => MAX_AGE,
            millis => Duration::from_millis(millis),
        }
    }
}

impl Store {
    /// Returns how often the users of a batch were added up for a look since the database was opened.
    pub fn sums(&self) -> u64 {
        self.shared.sums.computed.load(Ordering::Relaxed)
    }

    /// Sets the maximum age of shown sums.
    #[cfg(test)]
    pub(crate) fn keep_sums_for(&self, age: Duration) {
        let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        self.shared.sums.max_age.store(millis, Ordering::Relaxed);
    }

    /// Runs an order that changes users, in one transaction with its number.
    pub(crate) async fn order<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        self.change(move |connection| {
            Box::pin(async move {
                let done = work(&mut *connection).await?;
                sql::query(
                    "INSERT INTO user_changes (id, number) VALUES (1, 1) \
                     ON CONFLICT (id) DO UPDATE SET number = user_changes.number + 1",
                )
                .execute(connection)
                .await?;
                Ok(done)
            })
        })
        .await
    }
}

/// Returns the number of orders so far.
async fn orders(connection: &mut Connection) -> Result<i64, Fault> {
    let query = sql::query_scalar("SELECT coalesce(max(number), 0) FROM user_changes");
    Ok(query.fetch_one(connection).await?)
}
