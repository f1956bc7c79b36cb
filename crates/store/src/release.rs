//! The end of a pass: everything that is known then, in one transaction.

use jiff::Timestamp;
use mailhaul_engine::Side;
use mailhaul_migration::{Failure, MigrationUser, Statistics, UserEvent};
use sqlx::SqliteConnection;

use crate::{
    Store, checks,
    columns::millis_if,
    error::{Fault, StoreError},
    events::{Due, Users, happen},
    leases::{self, Lease},
    reports::{self, FolderStatistics, ReportEntry, SkippedMessage},
    users,
};

/// What a pass has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The time.
    pub now: Timestamp,
    /// How it ended.
    pub event: UserEvent,
    /// When the next one is due.
    pub due: Due,
    /// When the mailbox was in step, if the pass reached its end.
    pub synced: Option<Timestamp>,
    /// Why it failed or broke off, in place of what was known before.
    pub failure: Option<Failure>,
    /// Whether [`UserEvent::Deferred`] with a failure is one more attempt, the first one where messages arrived. Anything else
    /// is the end of attempts.
    pub is_attempt: bool,
    /// At which end the mailbox could not be opened, for this failure; `None` where both were, or nobody knows.
    pub closed: Option<Side>,
    /// The user's numbers; milliseconds in states are not taken from here.
    pub statistics: Statistics,
    /// What is told of it, after what was told before.
    pub entries: Vec<ReportEntry>,
    /// The folders, in place of those of the pass before; `None` to keep these.
    pub folders: Option<Vec<FolderStatistics>>,
    /// The skipped messages, in place of those of the pass before; `None` to keep these.
    pub skipped: Option<Vec<SkippedMessage>>,
}

impl Store {
    /// Ends a lease with its pass. Returns the user as it is then.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], [`StoreError::Illegal`]; nothing is written then.
    pub async fn release(&self, lease: &Lease, release: Release) -> Result<MigrationUser, StoreError> {
        let lease = *lease;
        self.change(move |connection| Box::pin(end(connection, lease, release))).await
    }
}

async fn end(
    connection: &mut SqliteConnection,
    lease: Lease,
    release: Release,
) -> Result<MigrationUser, Fault> {
    leases::check(connection, &lease).await?;
    let user = lease.user;
    let id: i64 = sqlx::query_scalar(
        "UPDATE user SET lease_owner = NULL, lease_until = NULL, fence = fence + 1, lost = 0 WHERE guid = ? RETURNING id",
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
    sqlx::query(
        "UPDATE user SET failure_class = ?1, failure_message = ?2, failure_advice = ?3, \
         attempts = CASE WHEN NOT ?4 THEN 0 WHEN ?7 THEN 1 ELSE attempts + 1 END, initial_synced = coalesce(initial_synced, ?5), \
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
    users::find(connection, user).await
}
