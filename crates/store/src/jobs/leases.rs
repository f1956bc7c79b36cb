//! Leases: which worker runs which user's pass.
//!
//! A fencing number keeps a worker whose lease expired from writing.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use mailhaul_migration::{Guid, MigrationUser, Statistics, UserEvent, UserStatus};

use crate::{
    admin::users,
    cluster::running::{ClaimLimits, running_users},
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Jobs,
    jobs::{
        checks,
        events::{Due, LOCK_CLAIMED, Users, happen},
        pass_kind::PassKind,
        recovery::SUSPECT_ENDS,
    },
};

/// The right to work on one user.
///
/// Another worker's claim, the removal of the user, or a recovery ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    pub user: Guid,
    /// The caller that claimed the user. A fencing number may come twice after a server lost its last changes.
    pub owner: Guid,
    /// Fencing number. A later claim of the same user has a greater one.
    pub fence: i64,
}

/// A worker's request for users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The current time. Users that are due by now are taken.
    pub now: Timestamp,
    /// The caller: [`ServiceLock::owner`](crate::ServiceLock::owner).
    pub owner: Guid,
    /// Expiry of the leases, unless they are renewed.
    pub until: Timestamp,
    /// The users' source endpoint.
    pub source_endpoint: Guid,
    /// The users' target endpoint; `None` for the archive.
    pub target_endpoint: Option<Guid>,
    /// The kinds of pass for which slots are free.
    pub kinds: Vec<PassKind>,
    /// Maximum number of users.
    pub limit: u32,
    /// Limits on the users of all nodes.
    pub limits: ClaimLimits,
}

/// A user with a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedUser {
    /// The user, with its status after the claim.
    pub user: MigrationUser,
    /// The pass to run.
    pub kind: PassKind,
    pub lease: Lease,
}

/// A request to renew a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub lease: Lease,
    /// New expiry of the lease.
    pub until: Timestamp,
    /// Progress of the pass, if it is to be shown. Durations of statuses are not taken from here.
    pub statistics: Option<Statistics>,
}

/// Number of running passes of one kind between one pair of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningPasses {
    /// The users' source endpoint.
    pub source_endpoint: Guid,
    /// The users' target endpoint; `None` for the archive.
    pub target_endpoint: Option<Guid>,
    pub kind: PassKind,
    /// Number of users.
    pub users: u64,
}

/// A pair of endpoints with users who could be claimed for one kind of pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingPasses {
    /// The users' source endpoint.
    pub source_endpoint: Guid,
    /// The users' target endpoint; `None` for the archive.
    pub target_endpoint: Option<Guid>,
    pub kind: PassKind,
}

/// The kinds of pass, as a table of SQL.
const KINDS: &str = "(VALUES ('Final'), ('Incremental'), ('First')) AS kind";

/// True in SQL if users of a batch could be claimed for a kind of pass at the time `?1`.
///
/// Not EXISTS: `SQLite` makes a join of it, which reads all users that are due.
const HAS_CLAIMABLE: &str = "(SELECT min(migration_user.due) FROM migration_user WHERE migration_user.batch = batch.guid \
     AND migration_user.pass = kind.column1 AND migration_user.due <= ?1 \
     AND migration_user.lease_until IS NULL) IS NOT NULL";

/// True in SQL if this process can write to the target of a batch. `?2` is its archive.
const IS_IN_REACH: &str = "(batch.archive IS NULL OR batch.archive = ?2)";

/// SQL of [`Jobs::running`].
pub(crate) const RUNNING: &str = "SELECT migration_user.source_endpoint, batch.target_endpoint, migration_user.pass, count(*) AS users \
     FROM migration_user JOIN batch ON batch.guid = migration_user.batch WHERE migration_user.lease_until IS NOT NULL \
     GROUP BY migration_user.source_endpoint, batch.target_endpoint, migration_user.pass";

/// Returns the SQL of [`Jobs::waiting`].
pub(crate) fn waiting() -> String {
    format!(
        "SELECT DISTINCT source_endpoint, target_endpoint, kind.column1 AS pass FROM batch CROSS JOIN {KINDS} \
         WHERE intent = 'Run' AND {IS_IN_REACH} AND {HAS_CLAIMABLE}"
    )
}

/// Returns the SQL of [`Jobs::has_waiting`].
pub(crate) fn has_waiting() -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM batch CROSS JOIN {KINDS} WHERE intent = 'Run' AND {IS_IN_REACH} AND NOT EXISTS \
         (SELECT 1 FROM parking WHERE parking.until > ?1 \
         AND parking.endpoint IN (batch.source_endpoint, batch.target_endpoint)) AND {HAS_CLAIMABLE})"
    )
}

/// Returns the SQL of [`Jobs::next_due`].
///
/// One search of an index for each kind of pass of a batch, and one for each endpoint.
pub(crate) fn next_due() -> String {
    format!(
        "SELECT min(due) AS due FROM (SELECT (SELECT min(migration_user.due) FROM migration_user WHERE migration_user.batch = batch.guid \
         AND migration_user.pass = kind.column1 AND migration_user.due > ?1 AND migration_user.lease_until IS NULL) AS due \
         FROM batch CROSS JOIN {KINDS} WHERE intent = 'Run' \
         UNION ALL SELECT (SELECT min(migration_user.check_due) FROM migration_user WHERE migration_user.source_endpoint = endpoint.guid \
         AND migration_user.check_due > ?1) FROM endpoint) AS next"
    )
}

impl Jobs<'_> {
    /// Claims users of running batches that are due.
    ///
    /// Final passes come before incremental ones, and these before first ones. Within a kind the order is
    /// that of the due times, then that of creation. No other worker gets the users until their leases end.
    pub async fn claim(self, claim: Claim) -> Result<Vec<ClaimedUser>, StoreError> {
        let db = self.0;
        let archive = db.archive();
        db.change(move |connection| Box::pin(take(connection, claim, archive))).await
    }

    /// Renews a lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn renew(self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        let lease = *lease;
        db.change_beside(move |connection| {
            Box::pin(async move {
                check(connection, &lease, Hold::Change).await?;
                prolong(connection, &Heartbeat { lease, until, statistics: None }).await
            })
        })
        .await
    }

    /// Renews leases, and records the progress of their passes.
    ///
    /// Returns the leases that have ended: their workers must stop.
    pub async fn heartbeats(self, beats: Vec<Heartbeat>) -> Result<Vec<Lease>, StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return db.change(move |connection| Box::pin(beat(connection, beats))).await;
        }
        // One transaction for each user: with several, an order could wait for one and this for another.
        let beats = beats
            .into_iter()
            .map(|it| db.change_beside(move |connection| Box::pin(beat(connection, vec![it]))));
        Ok(try_join_all(beats).await?.concat())
    }

    /// Applies an event that does not end the pass ([`UserEvent::Validated`]). Returns the new status.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], [`StoreError::Illegal`].
    pub async fn advance(
        self,
        lease: &Lease,
        event: UserEvent,
        now: Timestamp,
    ) -> Result<UserStatus, StoreError> {
        let db = self.0;
        let lease = *lease;
        db.change_beside(move |connection| {
            Box::pin(async move {
                check(connection, &lease, Hold::Change).await?;
                happen(connection, Users::One(lease.user), event, now, Due::Keep).await?;
                if event == UserEvent::Validated {
                    checks::opened(connection, lease.user, now).await?;
                }
                Ok(users::find(connection, lease.user).await?.status)
            })
        })
        .await
    }

    /// Returns the leases of this owner, with the statuses of their users.
    pub async fn leases_of(self, owner: Guid) -> Result<HashMap<Lease, UserStatus>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let sql = "SELECT guid, fence, status FROM migration_user WHERE lease_until IS NOT NULL AND lease_owner = ?";
                let rows = sql::query(sql).bind(owner).fetch_all(connection).await?;
                let lease = |row| {
                    let cells = Cells(row);
                    let lease = Lease { user: cells.get("guid")?, owner, fence: cells.get("fence")? };
                    Ok((lease, cells.word("status")?))
                };
                rows.iter().map(lease).collect()
            })
        })
        .await
    }

    /// Returns the pairs of endpoints with users who could be claimed now.
    ///
    /// One query serves all endpoints.
    pub async fn waiting(self, now: Timestamp) -> Result<Vec<WaitingPasses>, StoreError> {
        let db = self.0;
        let archive = db.archive();
        db.read(move |connection| {
            Box::pin(async move {
                // The text is made of constants only; below too.
                let query = sql::query(waiting()).bind(millis(now)).bind(archive);
                let rows = query.fetch_all(connection).await?;
                let pair = |row| {
                    let cells = Cells(row);
                    Ok(WaitingPasses {
                        source_endpoint: cells.get("source_endpoint")?,
                        target_endpoint: cells.get("target_endpoint")?,
                        kind: cells.word("pass")?,
                    })
                };
                rows.iter().map(pair).collect()
            })
        })
        .await
    }

    /// True if a user is due and waits only for a slot, at endpoints that are not parked.
    pub async fn has_waiting(self, now: Timestamp) -> Result<bool, StoreError> {
        let db = self.0;
        let archive = db.archive();
        db.read(move |connection| {
            Box::pin(async move {
                let query = sql::query_scalar(has_waiting()).bind(millis(now)).bind(archive);
                Ok(query.fetch_one(connection).await?)
            })
        })
        .await
    }

    /// Returns the earliest future time at which a pass or a check becomes due.
    pub async fn next_due(self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let query = sql::query(next_due()).bind(millis(now));
                let row = query.fetch_one(connection).await?;
                Cells(&row).time_if("due")
            })
        })
        .await
    }

    /// Counts the running passes of each pair of endpoints and kind of pass.
    pub async fn running(self) -> Result<Vec<RunningPasses>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(RUNNING).fetch_all(connection).await?;
                let running = |row| {
                    let cells = Cells(row);
                    Ok(RunningPasses {
                        source_endpoint: cells.get("source_endpoint")?,
                        target_endpoint: cells.get("target_endpoint")?,
                        kind: cells.word("pass")?,
                        users: cells.number("users")?,
                    })
                };
                rows.iter().map(running).collect()
            })
        })
        .await
    }
}

/// Renews the leases, and returns those that have ended.
async fn beat(connection: &mut Connection, beats: Vec<Heartbeat>) -> Result<Vec<Lease>, Fault> {
    let mut lost = Vec::new();
    for beat in beats {
        if is_held(connection, &beat.lease, Hold::Change).await? {
            prolong(connection, &beat).await?;
        } else {
            lost.push(beat.lease);
        }
    }
    Ok(lost)
}

async fn take(
    connection: &mut Connection,
    claim: Claim,
    archive: Option<Guid>,
) -> Result<Vec<ClaimedUser>, Fault> {
    let mut kinds = claim.kinds;
    kinds.sort_unstable();
    kinds.dedup();
    let mut running =
        running_users(connection, claim.source_endpoint, claim.target_endpoint, claim.now).await?;
    let mut free = claim.limit;
    let mut claimed = Vec::new();
    for kind in kinds {
        // Users with process ends are claimed one at a time, to find the one that causes them.
        let sql = format!(
            "SELECT migration_user.guid FROM migration_user JOIN batch ON batch.guid = migration_user.batch WHERE migration_user.source_endpoint = ?1 \
             AND migration_user.pass = ?2 AND migration_user.due <= ?3 AND migration_user.lease_until IS NULL AND batch.intent = 'Run' \
             AND coalesce(migration_user.check_until, 0) <= ?3 AND batch.target_endpoint IS NOT DISTINCT FROM ?4 \
             AND (batch.archive IS NULL OR batch.archive = ?7) \
             AND (migration_user.lost < ?6 OR migration_user.id = (SELECT it.id FROM migration_user AS it JOIN batch AS its ON its.guid = it.batch \
             WHERE it.source_endpoint = ?1 AND it.lost >= ?6 AND its.intent = 'Run' AND its.target_endpoint IS NOT DISTINCT FROM ?4 \
             AND (its.archive IS NULL OR its.archive = ?7) \
             AND (it.lease_until IS NOT NULL OR it.due <= ?3) ORDER BY it.lease_until IS NULL, it.due, it.id LIMIT 1)) \
             ORDER BY migration_user.due, migration_user.id LIMIT ?5{}",
            connection.locking(LOCK_CLAIMED)
        );
        let users: Vec<Guid> = sql::query_scalar(sql)
            .bind(claim.source_endpoint)
            .bind(kind.to_string())
            .bind(millis(claim.now))
            .bind(claim.target_endpoint)
            .bind(free.min(running.free(claim.limits, kind)))
            .bind(i64::from(SUSPECT_ENDS))
            .bind(archive)
            .fetch_all(&mut *connection)
            .await?;
        let begun = u32::try_from(users.len()).unwrap_or(u32::MAX);
        free = free.saturating_sub(begun);
        running.add(begun, kind);
        for user in users {
            let fence = sql::query_scalar(
                "UPDATE migration_user SET lease_owner = ?, lease_until = ?, fence = fence + 1 WHERE guid = ? RETURNING fence",
            )
            .bind(claim.owner)
            .bind(millis(claim.until))
            .bind(user)
            .fetch_one(&mut *connection)
            .await?;
            happen(connection, Users::One(user), UserEvent::Claimed, claim.now, Due::Never).await?;
            let lease = Lease { user, owner: claim.owner, fence };
            claimed.push(ClaimedUser { user: users::find(connection, user).await?, kind, lease });
        }
    }
    Ok(claimed)
}

async fn prolong(connection: &mut Connection, beat: &Heartbeat) -> Result<(), Fault> {
    let user = beat.lease.user;
    sql::query("UPDATE migration_user SET lease_until = ? WHERE guid = ?")
        .bind(millis(beat.until))
        .bind(user)
        .execute(&mut *connection)
        .await?;
    match &beat.statistics {
        Some(statistics) => users::write_statistics(connection, user, statistics).await,
        None => Ok(()),
    }
}

async fn is_held(connection: &mut Connection, lease: &Lease, hold: Hold) -> Result<bool, Fault> {
    let lock = connection.locking(match hold {
        Hold::Share => " FOR SHARE",
        Hold::Change => " FOR UPDATE",
    });
    let sql = format!("SELECT id FROM migration_user WHERE guid = ? AND fence = ? AND lease_owner = ?{lock}");
    let query = sql::query_scalar(sql).bind(lease.user).bind(lease.fence).bind(lease.owner);
    let id: Option<i64> = query.fetch_optional(connection).await?;
    Ok(id.is_some())
}

/// The lock on a user's row for which a lease is checked.
#[derive(Clone, Copy)]
pub(crate) enum Hold {
    /// The transaction only needs the lease to last.
    Share,
    /// The transaction changes the user.
    Change,
}

/// Returns an error if the lease has ended. Runs in the transaction that the lease protects.
///
/// On a server the user's row is locked until the end of the transaction.
pub(crate) async fn check(connection: &mut Connection, lease: &Lease, hold: Hold) -> Result<(), Fault> {
    if is_held(connection, lease, hold).await? {
        return Ok(());
    }
    let known = sql::query("SELECT email_address, lease_until IS NULL FROM migration_user WHERE guid = ?")
        .bind(lease.user)
        .fetch_optional(connection)
        .await?;
    let (user, how) = match known {
        None => (lease.user.to_string(), "it was removed from its batch"),
        Some(row) if row.try_get(1)? => {
            (row.try_get(0)?, "its pass was ended, and another worker may take it over")
        }
        Some(row) => (row.try_get(0)?, "another worker has claimed the mailbox"),
    };
    Err(StoreError::LeaseLost { user, how }.into())
}
