//! Mailbox checks: users that are due for a sign-in check, and the results.
//!
//! A check needs no lease, because it changes no mailbox and no ledger. Each request for a check increases
//! the user's check number. A result counts only while this number is the same.
//!
//! Invariant: a user never has a pass and a check running at once. A user whose pass is due in a running
//! batch is not checked: the pass opens both mailboxes itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mailhaul_engine::Side;
use mailhaul_migration::{DomainTally, Guid, MigrationUser, Opening, PassFailure};

use crate::{
    admin::users,
    cluster::running::{ClaimLimits, running_users},
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Checks,
    jobs::{
        check_row::{self, written},
        events::{LOCK_CLAIMED, UserSelection, Users},
        pass_kind::PassKind,
    },
};

/// A request for users to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckClaim {
    /// The current time. Users whose check is due by now are taken.
    pub now: Timestamp,
    /// End of the claim. Until then no other caller gets these users.
    pub until: Timestamp,
    /// The users' source endpoint.
    pub source_endpoint: Guid,
    /// The users' target endpoint; `None` for the archive.
    pub target_endpoint: Option<Guid>,
    /// Maximum number of users.
    pub limit: u32,
    /// Limits on the users of all nodes.
    pub limits: ClaimLimits,
}

/// A user to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedCheck {
    pub user: MigrationUser,
    /// Check number of the user. The result counts only while the user has this number.
    pub number: i64,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckEnd {
    /// Both mailboxes were tried.
    Known {
        source: Opening,
        /// `None` if the mail goes to the archive.
        target: Option<Opening>,
    },
    /// The check could not be made; it is tried again.
    Later {
        /// Time of the next attempt.
        due: Timestamp,
        /// The reason, as text for the operator.
        reason: String,
    },
}

/// Checks that run between one pair of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChecksUnderWay {
    /// The users' source endpoint.
    pub source_endpoint: Guid,
    /// The users' target endpoint; `None` for the archive.
    pub target_endpoint: Option<Guid>,
    /// Number of users.
    pub users: u64,
}

/// Users whose check can begin at the time `?1`, for a query of users and their batches.
const WAITING: &str = "migration_user.check_due <= ?1 AND migration_user.lease_until IS NULL AND coalesce(migration_user.check_until, 0) <= ?1 \
     AND NOT (batch.intent = 'Run' AND migration_user.pass IS NOT NULL AND coalesce(migration_user.due, ?1 + 1) <= ?1)";

/// SQL of [`Checks::under_way`].
pub(crate) const UNDER_WAY: &str = "SELECT migration_user.source_endpoint, batch.target_endpoint, count(*) AS users FROM migration_user \
     JOIN batch ON batch.guid = migration_user.batch WHERE migration_user.check_until > ?1 \
     GROUP BY migration_user.source_endpoint, batch.target_endpoint";

/// Returns the SQL of [`Checks::waiting`]: [`WAITING`], asked once for each batch.
///
/// A user without a pass has no due time. In a running batch, the due time of the pass selects the users: in a
/// large batch that waits for slots, the checks of all users are due. The `+` keeps `SQLite` from selecting by
/// these. The first search prevents the last one while the checks of a whole batch are delayed.
///
/// Neither EXISTS nor without an order: for these, `PostgreSQL` reads all users that are due.
pub(crate) fn waiting() -> String {
    let has = |is_due, first| {
        format!(
            "(SELECT 1 FROM migration_user WHERE migration_user.batch = batch.guid AND migration_user.lease_until IS NULL \
             AND coalesce(migration_user.check_until, 0) <= ?1 AND {is_due} ORDER BY migration_user.{first} LIMIT 1) IS NOT NULL"
        )
    };
    format!(
        "SELECT DISTINCT source_endpoint, target_endpoint FROM batch WHERE intent <> 'Run' AND {due} OR {never} \
         OR {due} AND {later}",
        due = has("migration_user.check_due <= ?1", "check_due"),
        never = has("migration_user.due IS NULL AND migration_user.check_due <= ?1", "check_due"),
        later = has(
            "migration_user.due > ?1 AND migration_user.check_due IS NOT NULL AND +migration_user.check_due <= ?1",
            "due"
        ),
    )
}

impl Checks<'_> {
    /// Requests a check of these users. Returns the number of users.
    ///
    /// The check is due at once. Running checks and earlier results no longer count. Completed users are left
    /// as they are.
    pub async fn request(self, users: Users, now: Timestamp) -> Result<u64, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let selection = UserSelection::from_users(users);
                let sql = format!(
                    "UPDATE migration_user SET check_due = ?2, check_number = check_number + 1, check_attempts = 0, \
                     check_delay = NULL WHERE status NOT IN ('Completed', 'CompletedWithWarnings') AND {}",
                    selection.sql()
                );
                // The text is made of constants only; below too.
                let query = sql::query(sql).bind(selection.guid()).bind(millis(now));
                Ok(query.execute(connection).await?)
            })
        })
        .await
    }

    /// Claims users whose check is due, in the order of their due times.
    pub async fn claim(self, claim: CheckClaim) -> Result<Vec<ClaimedCheck>, StoreError> {
        let db = self.0;
        db.change(move |connection| Box::pin(take(connection, claim))).await
    }

    /// Ends a check.
    ///
    /// The result is dropped if another check was requested since, or the user was removed.
    pub async fn end(self, user: Guid, number: i64, end: CheckEnd, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                sql::query("UPDATE migration_user SET check_until = NULL WHERE guid = ?")
                    .bind(user)
                    .execute(&mut *connection)
                    .await?;
                match end {
                    CheckEnd::Known { source, target } => {
                        let target = target.as_ref().map(written).transpose()?;
                        sql::query(
                            "UPDATE migration_user SET check_due = NULL, check_attempts = 0, check_delay = NULL, checked = ?, \
                             source_opening = ?, target_opening = ? WHERE guid = ? AND check_number = ?",
                        )
                        .bind(millis(now))
                        .bind(written(&source)?)
                        .bind(target)
                        .bind(user)
                        .bind(number)
                        .execute(connection)
                        .await?;
                    }
                    CheckEnd::Later { due, reason } => {
                        // The whole endpoint may have been delayed for longer meanwhile.
                        sql::query(
                            "UPDATE migration_user SET check_due = max(check_due, ?), check_attempts = check_attempts + 1, \
                             check_delay = ? WHERE guid = ? AND check_number = ?",
                        )
                        .bind(millis(due))
                        .bind(reason)
                        .bind(user)
                        .bind(number)
                        .execute(connection)
                        .await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// Delays the checks of all users that wait for this endpoint. Returns their number.
    pub async fn delay(self, endpoint: Guid, due: Timestamp, reason: String) -> Result<u64, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let delayed = sql::query(
                    "UPDATE migration_user SET check_due = ?2, check_delay = ?3 WHERE check_due < ?2 AND batch IN \
                     (SELECT guid FROM batch WHERE source_endpoint = ?1 OR target_endpoint = ?1)",
                )
                .bind(endpoint)
                .bind(millis(due))
                .bind(reason)
                .execute(connection)
                .await?;
                Ok(delayed)
            })
        })
        .await
    }

    /// Makes the delayed checks of this endpoint due at once, because the endpoint was changed.
    pub async fn resume(self, endpoint: Guid, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                sql::query(
                    "UPDATE migration_user SET check_due = ?2, check_attempts = 0 WHERE check_due > ?2 AND batch IN \
                     (SELECT guid FROM batch WHERE source_endpoint = ?1 OR target_endpoint = ?1)",
                )
                .bind(endpoint)
                .bind(millis(now))
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Returns the pairs of source and target for which a check could begin now.
    ///
    /// The target is `None` for the archive. One query serves all endpoints.
    pub async fn waiting(self, now: Timestamp) -> Result<Vec<(Guid, Option<Guid>)>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(waiting()).bind(millis(now)).fetch_all(connection).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            })
        })
        .await
    }

    /// Counts the running checks of each pair of endpoints.
    pub async fn under_way(self, now: Timestamp) -> Result<Vec<ChecksUnderWay>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(UNDER_WAY).bind(millis(now)).fetch_all(connection).await?;
                let under_way = |row| {
                    let cells = Cells(row);
                    Ok(ChecksUnderWay {
                        source_endpoint: cells.get("source_endpoint")?,
                        target_endpoint: cells.get("target_endpoint")?,
                        users: cells.number("users")?,
                    })
                };
                rows.iter().map(under_way).collect()
            })
        })
        .await
    }
}

async fn take(connection: &mut Connection, claim: CheckClaim) -> Result<Vec<ClaimedCheck>, Fault> {
    let running = running_users(connection, claim.source_endpoint, claim.target_endpoint, claim.now).await?;
    // As for a first pass, the limit on later passes does not count.
    let free = running.free(claim.limits, PassKind::First);
    let sql = format!(
        "SELECT migration_user.guid FROM migration_user JOIN batch ON batch.guid = migration_user.batch WHERE migration_user.source_endpoint = ?2 \
         AND batch.target_endpoint IS NOT DISTINCT FROM ?3 AND {WAITING} ORDER BY migration_user.check_due, migration_user.id \
         LIMIT ?4{}",
        connection.locking(LOCK_CLAIMED)
    );
    let users: Vec<Guid> = sql::query_scalar(sql)
        .bind(millis(claim.now))
        .bind(claim.source_endpoint)
        .bind(claim.target_endpoint)
        .bind(claim.limit.min(free))
        .fetch_all(&mut *connection)
        .await?;
    let mut claimed = Vec::with_capacity(users.len());
    for user in users {
        let number = sql::query_scalar(
            "UPDATE migration_user SET check_until = ?, check_number = check_number + 1 WHERE guid = ? RETURNING check_number",
        )
        .bind(millis(claim.until))
        .bind(user)
        .fetch_one(&mut *connection)
        .await?;
        claimed.push(ClaimedCheck { user: users::find(connection, user).await?, number });
    }
    Ok(claimed)
}

/// Records that a pass opened both mailboxes: the same result as that of a check.
pub(crate) async fn opened(connection: &mut Connection, user: Guid, now: Timestamp) -> Result<(), Fault> {
    sql::query(
        "UPDATE migration_user SET check_due = NULL, check_number = check_number + 1, check_attempts = 0, check_delay = NULL, \
         checked = ?1, source_opening = ?2, target_opening = CASE WHEN (SELECT target_endpoint FROM batch \
         WHERE batch.guid = migration_user.batch) IS NULL THEN NULL ELSE ?2 END WHERE guid = ?3",
    )
    .bind(millis(now))
    .bind(written(&Opening::Opened)?)
    .bind(user)
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that a pass could not open the mailbox at this side.
///
/// It is the result of a check, if one is due.
pub(crate) async fn closed(
    connection: &mut Connection,
    user: Guid,
    side: Side,
    failure: &PassFailure,
    now: Timestamp,
) -> Result<(), Fault> {
    let column = match side {
        Side::Source => "source_opening",
        Side::Target => "target_opening",
    };
    let sql = format!(
        "UPDATE migration_user SET check_due = NULL, check_number = check_number + 1, check_attempts = 0, check_delay = NULL, \
         checked = ?, {column} = ? WHERE guid = ? AND check_due IS NOT NULL"
    );
    sql::query(sql)
        .bind(millis(now))
        .bind(written(&Opening::Failed(failure.clone()))?)
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}

/// Counts the mailboxes of each domain of the batch that the target opened.
///
/// The domain is that of the login at the target, or else of the e-mail address.
pub(crate) async fn domains(connection: &mut Connection, batch: Guid) -> Result<Vec<DomainTally>, Fault> {
    let sql = "SELECT email_address, target_user_name, target_opening, check_due IS NULL AS is_done \
               FROM migration_user WHERE batch = ?";
    let rows = sql::query(sql).bind(batch).fetch_all(connection).await?;
    let mut domains: BTreeMap<String, DomainTally> = BTreeMap::new();
    for row in &rows {
        let cells = Cells(row);
        let names = [cells.get::<&str>("target_user_name")?, cells.get("email_address")?];
        let Some((_, domain)) = names.into_iter().find_map(|name| name.rsplit_once('@')) else { continue };
        let domain = domain.to_ascii_lowercase();
        let tally = domains.entry(domain.clone()).or_insert_with(|| DomainTally {
            domain,
            addresses: 0,
            opened: 0,
            failed: 0,
            words: None,
        });
        tally.addresses += 1;
        let is_done: bool = cells.get("is_done")?;
        match check_row::opening(cells, "target_opening")? {
            Some(Opening::Failed(failure)) => {
                tally.failed += u64::from(is_done);
                // The same words each time, in whatever order the rows come.
                tally.words = tally.words.take().into_iter().chain([failure.message]).min();
            }
            Some(_) => tally.opened += u64::from(is_done),
            None => {}
        }
    }
    Ok(domains.into_values().collect())
}
