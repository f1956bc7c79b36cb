//! Recovery: ends the leases that a process left behind when it ended.
//!
//! If the process ends again and again at one mailbox, this mailbox is tried alone, then fails.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_migration::{FailureClass, Guid, UserEvent, UserStatus};

use crate::{
    admin::users,
    cluster::{nodes, server_clock::SERVER_NOW},
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection, Row},
    },
    handles::Jobs,
    jobs::{
        events::{Due, UserSelection, move_all},
        notices, outbox,
    },
};

/// Consecutive process ends without a copied message after which the user fails.
///
/// The first two happen beside other users, each of which may be the cause. The other three happen to the
/// only suspect.
const MAX_PROCESS_ENDS: u64 = 5;
/// Number of process ends from which on the user waits, and runs beside no other such user of its endpoints.
pub(crate) const SUSPECT_ENDS: u32 = 2;
/// Delay of such a user.
const SUSPECT_DELAY: Duration = Duration::from_mins(1);

/// Ends the expired leases of this process.
///
/// Such a lease is no sign of a fault in its mailbox. For example, a full disk prevents the renewal.
pub(crate) const END_OWN: &str = "UPDATE migration_user SET lease_owner = NULL, lease_until = NULL, fence = fence + 1 \
     WHERE lease_owner = ?1 AND lease_until <= ?2 RETURNING guid, status, 0 AS lost";
/// Ends the leases of other owners.
pub(crate) const END_OTHERS: &str = "UPDATE migration_user SET lease_owner = NULL, lease_until = NULL, fence = fence + 1, \
     lost = lost + 1 WHERE lease_until IS NOT NULL AND lease_owner <> ?1";
const ENDED: &str = "RETURNING guid, status, lost";

/// The result of a recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Number of users whose lease was ended.
    pub users: u64,
    /// Names of the nodes that were lost.
    pub nodes: Vec<String>,
}

/// A lease without a holder.
struct EndedLease {
    user: Guid,
    status: UserStatus,
    /// Consecutive process ends, with this one.
    ends: u64,
}

impl Jobs<'_> {
    /// Ends the leases of dead owners and the expired ones of this one.
    ///
    /// Their passes count as broken off: the users are due at once, or stopped if a stop was requested. After
    /// several process ends of other owners without a copied message, the user waits, then fails.
    ///
    /// On a data directory the caller holds the [`ServiceLock`](crate::ServiceLock), so that other owners are dead.
    /// On a server an owner is dead after the end of its node's lease.
    pub async fn recover(self, now: Timestamp, owner: Guid) -> Result<Recovered, StoreError> {
        let db = self.0;
        db.change(move |connection| Box::pin(recover(connection, now, owner))).await
    }

    /// Returns the leases of this owner at an orderly end of its process. Returns their number.
    ///
    /// The users are due at once, and the end of the process does not count against them.
    pub async fn give_back(self, now: Timestamp, owner: Guid) -> Result<u64, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let sql = "UPDATE migration_user SET lease_owner = NULL, lease_until = NULL, fence = fence + 1 \
                           WHERE lease_owner = ? RETURNING guid, status, lost";
                let rows = sql::query(sql).bind(owner).fetch_all(&mut *connection).await?;
                for row in &rows {
                    let EndedLease { user, status, .. } = left(row)?;
                    broke_off(connection, user, status, now, Due::At(now)).await?;
                }
                Ok(rows.len() as u64)
            })
        })
        .await
    }
}

async fn recover(connection: &mut Connection, now: Timestamp, owner: Guid) -> Result<Recovered, Fault> {
    let mut rows = sql::query(END_OWN).bind(owner).bind(millis(now)).fetch_all(&mut *connection).await?;
    let dead = if connection.is_shared() {
        format!("AND lease_owner NOT IN (SELECT guid FROM node WHERE until > {SERVER_NOW})")
    } else {
        // The caller has the file's lock.
        String::new()
    };
    let others = sql::query(format!("{END_OTHERS} {dead} {ENDED}"));
    rows.extend(others.bind(owner).fetch_all(&mut *connection).await?);
    for row in &rows {
        let EndedLease { user, status, ends } = left(row)?;
        if ends >= MAX_PROCESS_ENDS && status != UserStatus::Stopping {
            fail(connection, user, ends, now).await?;
        } else {
            let wait = if ends >= u64::from(SUSPECT_ENDS) { SUSPECT_DELAY } else { Duration::ZERO };
            let due = Due::At(now.checked_add(wait).unwrap_or(Timestamp::MAX));
            broke_off(connection, user, status, now, due).await?;
        }
    }
    let nodes = nodes::remove_lost(connection).await?;
    outbox::take_back(connection, owner, now).await?;
    Ok(Recovered { users: rows.len() as u64, nodes })
}

fn left(row: &Row) -> Result<EndedLease, Fault> {
    let cells = Cells(row);
    Ok(EndedLease { user: cells.get("guid")?, status: cells.word("status")?, ends: cells.number("lost")? })
}

async fn broke_off(
    connection: &mut Connection,
    user: Guid,
    status: UserStatus,
    now: Timestamp,
    due: Due,
) -> Result<(), Fault> {
    let event = if status == UserStatus::Stopping { UserEvent::Halted } else { UserEvent::Deferred };
    move_all(connection, &UserSelection::One(user), event, now, due).await.map(drop)
}

/// Fails the user. A start resets the count.
async fn fail(connection: &mut Connection, user: Guid, ends: u64, now: Timestamp) -> Result<(), Fault> {
    move_all(connection, &UserSelection::One(user), UserEvent::Failed, now, Due::Never).await?;
    let message = format!(
        "the process of the service ended {ends} times in a row while it migrated this mailbox (a crash, an abort or too \
         little memory), and no message was copied in between"
    );
    let advice = "Check the logs of the service and of the system, and the free memory; then Start-MigrationBatch tries \
                  again.";
    sql::query(
        "UPDATE migration_user SET failure_class = ?2, failure_message = ?3, failure_advice = ?4, attempts = 0, lost = 0 \
         WHERE guid = ?1",
    )
    .bind(user)
    .bind(FailureClass::Internal.to_string())
    .bind(message)
    .bind(advice)
    .execute(&mut *connection)
    .await?;
    let user = users::find(connection, user).await?;
    notices::after_pass(connection, &user, UserEvent::Failed, now).await
}

/// Resets the count of process ends after a message was copied.
pub(crate) async fn gained(connection: &mut Connection, user: Guid) -> Result<(), Fault> {
    sql::query("UPDATE migration_user SET lost = 0 WHERE guid = ? AND lost > 0")
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}
