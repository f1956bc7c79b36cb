//! Correction of times after the clock was set back.
//!
//! Due times keep their distance from the time of the decision. Otherwise a user with a delay of one day
//! would wait for that day and for the whole jump of the clock.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    Store,
    db::{columns::millis, error::StoreError, sql},
};

const HOUR: i64 = 3600;

/// Moves back the due times of users that were decided in the future.
///
/// A `StartAfter` is a date of the administrator, and stays.
const USERS: &str = "UPDATE migration_user SET status_since = ?1, due = CASE WHEN due IS NOT DISTINCT FROM (SELECT \
     coalesce(migration_user.start_after, start_after) FROM batch WHERE batch.guid = migration_user.batch) THEN due \
     ELSE ?1 + max(due - status_since, 0) END WHERE status_since > ?1";
const PARKING: &str = "UPDATE parking SET until = ?1 + (until - since), since = ?1 WHERE since > ?1";
/// Moves back the due times of checks.
///
/// A check does not store the time of its decision, but no check is delayed for longer than `?2`. A check
/// that comes early does no harm.
const CHECKS: &str = "UPDATE migration_user SET check_due = min(check_due, ?1 + ?2), check_until = min(check_until, ?1 + ?2) \
     WHERE check_due > ?1 + ?2 OR check_until > ?1 + ?2";
/// Adds the usage of future hours to the current hour.
///
/// If it was forgotten, the service could exceed the daily limit of the server.
const USAGE: [&str; 2] = [
    "INSERT INTO usage (endpoint, mailbox, hour, octets) SELECT endpoint, mailbox, ?1, CAST(sum(octets) AS BIGINT) FROM usage \
     WHERE hour > ?1 GROUP BY endpoint, mailbox \
     ON CONFLICT (endpoint, mailbox, hour) DO UPDATE SET octets = usage.octets + excluded.octets",
    "DELETE FROM usage WHERE hour > ?1",
];

impl Store {
    /// Moves times that lie too far in the future back to this clock.
    ///
    /// Changes nothing if the clock was never set back.
    pub async fn bring_times_back(
        &self,
        now: Timestamp,
        longest_check_wait: Duration,
    ) -> Result<(), StoreError> {
        let wait = i64::try_from(longest_check_wait.as_millis()).unwrap_or(i64::MAX);
        self.change(move |connection| {
            Box::pin(async move {
                for sql in [USERS, PARKING] {
                    sql::query(sql).bind(millis(now)).execute(&mut *connection).await?;
                }
                sql::query(CHECKS).bind(millis(now)).bind(wait).execute(&mut *connection).await?;
                for sql in USAGE {
                    sql::query(sql).bind(now.as_second() / HOUR).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
