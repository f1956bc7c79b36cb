//! Work at each batch and endpoint, by periods of time. Each node adds its own.

use jiff::Timestamp;
use mailhaul_migration::{Guid, UserStatus};

use crate::{
    db::{
        columns::{Cells, whole},
        error::{Fault, StoreError},
        sql,
    },
    handles::Throughput,
};

/// Lengths of the kept periods in seconds, and the time for which each is kept.
pub const KEPT_PERIODS: [(i64, i64); 2] = [(60, 48 * 3600), (900, 90 * 86_400)];

/// Work in a period of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub bytes: u64,
    pub messages: u64,
    /// Sum of the seconds of all passes.
    pub busy_seconds: u64,
}

impl Work {
    pub fn add(&mut self, more: Self) {
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.messages = self.messages.saturating_add(more.messages);
        self.busy_seconds = self.busy_seconds.saturating_add(more.busy_seconds);
    }

    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Work at a batch or an endpoint in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteOfWork {
    pub owner: Guid,
    /// First second of the minute.
    pub begun: i64,
    pub work: Work,
    pub pending: PendingUsers,
}

/// Users that do not move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingUsers {
    pub waiting: u64,
    pub failed: u64,
}

/// Work in a kept period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptPeriod {
    /// First second of the period.
    pub begun: i64,
    pub work: Work,
    /// Users at the end of the period.
    pub pending: PendingUsers,
}

/// Users of a batch that wait or failed, with the endpoints of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingOfBatch {
    pub batch: Guid,
    pub name: String,
    pub source_endpoint: Guid,
    pub target_endpoint: Option<Guid>,
    pub users: PendingUsers,
}

impl Throughput<'_> {
    /// Adds the work of minutes to all kept periods, and deletes the old ones.
    ///
    /// The order of the rows is that of their keys, so that two nodes do not wait for each other.
    pub async fn add_work(self, mut minutes: Vec<MinuteOfWork>, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        minutes.sort_by_key(|minute| (minute.owner, minute.begun));
        db.change_beside(move |connection| {
            Box::pin(async move {
                for (step, _) in KEPT_PERIODS {
                    for minute in &minutes {
                        sql::query(
                            "INSERT INTO throughput (owner, step, begun, octets, messages, busy_seconds, waiting, failed) \
                             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, step, begun) DO UPDATE SET \
                             octets = throughput.octets + excluded.octets, messages = throughput.messages + excluded.messages, \
                             busy_seconds = throughput.busy_seconds + excluded.busy_seconds, \
                             waiting = excluded.waiting, failed = excluded.failed",
                        )
                        .bind(minute.owner)
                        .bind(step)
                        .bind(minute.begun - minute.begun.rem_euclid(step))
                        .bind(whole(minute.work.bytes))
                        .bind(whole(minute.work.messages))
                        .bind(whole(minute.work.busy_seconds))
                        .bind(whole(minute.pending.waiting))
                        .bind(whole(minute.pending.failed))
                        .execute(&mut *connection)
                        .await?;
                    }
                }
                let skip = connection.locking(" FOR UPDATE SKIP LOCKED");
                for (step, kept) in KEPT_PERIODS {
                    let old = format!(
                        "DELETE FROM throughput WHERE (owner, step, begun) IN \
                         (SELECT owner, step, begun FROM throughput WHERE step = ? AND begun < ?{skip})"
                    );
                    let first = now.as_second() - kept;
                    sql::query(old).bind(step).bind(first).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Returns the kept periods of a batch or endpoint that begin from `from` on and before `to`.
    pub async fn work(
        self,
        owner: Guid,
        step: i64,
        from: i64,
        to: i64,
    ) -> Result<Vec<KeptPeriod>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(
                    "SELECT begun, octets, messages, busy_seconds, waiting, failed FROM throughput WHERE owner = ? AND step = ? AND begun >= ? AND begun < ? \
                     ORDER BY begun",
                )
                .bind(owner)
                .bind(step)
                .bind(from)
                .bind(to)
                .fetch_all(connection)
                .await?;
                rows.iter()
                    .map(|row| {
                        let cells = Cells(row);
                        Ok(KeptPeriod {
                            begun: cells.get("begun")?,
                            work: work(cells)?,
                            pending: PendingUsers {
                                waiting: cells.number("waiting")?,
                                failed: cells.number("failed")?,
                            },
                        })
                    })
                    .collect()
            })
        })
        .await
    }

    /// Returns the work of all batches and endpoints in the minute that begins with this second.
    pub async fn work_of_minute(self, begun: i64) -> Result<Vec<(Guid, Work)>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(
                    "SELECT owner, octets, messages, busy_seconds FROM throughput WHERE step = ? AND begun = ?",
                )
                .bind(KEPT_PERIODS[0].0)
                .bind(begun)
                .fetch_all(connection)
                .await?;
                rows.iter().map(|row| Ok((Cells(row).get("owner")?, work(Cells(row))?))).collect()
            })
        })
        .await
    }

    /// Counts the users that wait or failed, for each batch that has some.
    pub async fn pending_users(self) -> Result<Vec<PendingOfBatch>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(
                    "SELECT counted.batch, batch.name, batch.source_endpoint, batch.target_endpoint, counted.status, counted.users \
                     FROM (SELECT batch, status, count(*) AS users FROM migration_user \
                     WHERE status IN ('Queued', 'Failed', 'IncrementalFailed', 'CompletionFailed') GROUP BY batch, status) \
                     AS counted JOIN batch ON batch.guid = counted.batch ORDER BY batch.id",
                )
                .fetch_all(connection)
                .await?;
                let mut found: Vec<PendingOfBatch> = Vec::new();
                for row in &rows {
                    let cells = Cells(row);
                    let batch = cells.get("batch")?;
                    if found.last().is_none_or(|last| last.batch != batch) {
                        found.push(PendingOfBatch {
                            batch,
                            name: cells.get("name")?,
                            source_endpoint: cells.get("source_endpoint")?,
                            target_endpoint: cells.get("target_endpoint")?,
                            users: PendingUsers::default(),
                        });
                    }
                    let Some(last) = found.last_mut() else { continue };
                    match cells.word::<UserStatus>("status")? {
                        UserStatus::Queued => last.users.waiting += cells.number::<u64>("users")?,
                        _ => last.users.failed += cells.number::<u64>("users")?,
                    }
                }
                Ok(found)
            })
        })
        .await
    }
}

fn work(cells: Cells<'_>) -> Result<Work, Fault> {
    Ok(Work {
        bytes: cells.number("octets")?,
        messages: cells.number("messages")?,
        busy_seconds: cells.number("busy_seconds")?,
    })
}
