//! The end of a pass: status, report, checks and usage in one transaction.

use jiff::Timestamp;
use mailhaul_engine::Side;
use mailhaul_migration::{MigrationUser, PassFailure, Statistics, UserEvent};

use crate::{
    admin::{
        reports::{self, FolderStatistics, ReportEntry, SkippedMessage},
        users,
    },
    db::{
        columns::millis_if,
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Jobs,
    jobs::{
        checks,
        events::{Due, Users, happen},
        leases::{self, Hold, Lease},
        notices,
    },
};

/// The result of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The current time.
    pub now: Timestamp,
    /// The end of the pass.
    pub event: UserEvent,
    /// Time of the next pass.
    pub due: Due,
    /// Time of the sync, if the pass reached its end.
    pub synced: Option<Timestamp>,
    /// The reason of a failure or break-off. Replaces the previous one.
    pub failure: Option<PassFailure>,
    /// True if [`UserEvent::Deferred`] with a failure counts as one more attempt.
    ///
    /// It counts as the first attempt if messages arrived. Any other end resets the attempts.
    pub is_attempt: bool,
    /// The side whose mailbox could not be opened.
    ///
    /// `None` if both were opened, or if it is unknown.
    pub closed: Option<Side>,
    /// The user's numbers. Durations of statuses are not taken from here.
    pub statistics: Statistics,
    /// New entries of the report.
    pub entries: Vec<ReportEntry>,
    /// The folders, which replace those of the previous pass; `None` keeps these.
    pub folders: Option<Vec<FolderStatistics>>,
    /// The skipped messages, which replace those of the previous pass; `None` keeps these.
    pub skipped: Option<Vec<SkippedMessage>>,
}

impl Jobs<'_> {
    /// Ends a lease with its pass. Returns the changed user.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], [`StoreError::Illegal`]. Then nothing is written.
    pub async fn release(self, lease: &Lease, release: Release) -> Result<MigrationUser, StoreError> {
        let db = self.0;
        let lease = *lease;
        db.change_beside(move |connection| Box::pin(end(connection, lease, release))).await
    }
}

async fn end(connection: &mut Connection, lease: Lease, release: Release) -> Result<MigrationUser, Fault> {
    leases::check(connection, &lease, Hold::Change).await?;
    let user = lease.user;
    let id: i64 = sql::query_scalar(
        "UPDATE migration_user SET lease_owner = NULL, lease_until = NULL, fence = fence + 1, lost = 0 WHERE guid = ? RETURNING id",
    )
    .bind(user)
    .fetch_one(&mut *connection)
    .await?;
    happen(connection, Users::One(user), release.event, release.now, release.due).await?;
    let is_attempt = release.is_attempt && release.event == UserEvent::Deferred && release.failure.is_some();
    if let (Some(side), Some(failure)) = (release.closed, &release.failure) {
        checks::closed(connection, user, side, failure, release.now).await?;
    }
    let (class, message, advice) = match release.failure {
        Some(failure) => (Some(failure.class.to_string()), Some(failure.message), failure.advice),
        None => (None, None, None),
    };
    sql::query(
        "UPDATE migration_user SET failure_class = ?1, failure_message = ?2, failure_advice = ?3, \
         attempts = CASE WHEN ?4 = 0 THEN 0 WHEN ?7 = 1 THEN 1 ELSE attempts + 1 END, initial_synced = coalesce(initial_synced, ?5), \
         last_synced = coalesce(?5, last_synced) WHERE id = ?6",
    )
    .bind(class)
    .bind(message)
    .bind(advice)
    .bind(is_attempt)
    .bind(millis_if(release.synced))
    .bind(id)
    .bind(release.statistics.pass_items > 0)
    .execute(&mut *connection)
    .await?;
    users::write_statistics(connection, user, &release.statistics).await?;
    reports::append(connection, id, release.entries).await?;
    if let Some(folders) = release.folders {
        reports::replace_folders(connection, id, folders).await?;
    }
    if let Some(skipped) = release.skipped {
        reports::replace_skipped(connection, id, skipped).await?;
    }
    let user = users::find(connection, user).await?;
    notices::after_pass(connection, &user, release.event, release.now).await?;
    Ok(user)
}
