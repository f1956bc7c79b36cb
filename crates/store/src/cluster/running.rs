//! Users whose passes and checks run on any node, and the limits on their number.

use jiff::Timestamp;
use mailhaul_migration::Guid;

use crate::{
    db::{
        columns::{Cells, millis},
        error::Fault,
        sql::{self, Connection},
    },
    jobs::pass_kind::PassKind,
};

/// Limits on the users whose passes and checks run, on all nodes together; `None` is no limit.
///
/// A process alone counts before it claims. With several nodes the count and the claim are one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimLimits {
    /// All users.
    pub users: Option<u32>,
    /// Users of the target endpoint.
    pub at_target: Option<u32>,
    /// Users in incremental and final passes of the source endpoint.
    pub later_at_source: Option<u32>,
}

/// Users whose passes and checks run on any node.
#[derive(Clone, Copy, Default)]
pub(crate) struct RunningUsers {
    all: u32,
    at_target: u32,
    later_at_source: u32,
}

impl RunningUsers {
    /// Returns the number of users that may begin a pass of this kind.
    pub(crate) fn free(self, limits: ClaimLimits, kind: PassKind) -> u32 {
        let rest =
            |limit: Option<u32>, running: u32| limit.map_or(u32::MAX, |limit| limit.saturating_sub(running));
        let later = match kind {
            PassKind::First => u32::MAX,
            PassKind::Incremental | PassKind::Final => rest(limits.later_at_source, self.later_at_source),
        };
        rest(limits.users, self.all).min(rest(limits.at_target, self.at_target)).min(later)
    }

    /// Counts users whose pass of this kind begins.
    pub(crate) fn add(&mut self, users: u32, kind: PassKind) {
        self.all = self.all.saturating_add(users);
        self.at_target = self.at_target.saturating_add(users);
        if kind != PassKind::First {
            self.later_at_source = self.later_at_source.saturating_add(users);
        }
    }
}

/// Counts the users of all nodes. Claims run one after another, so that the count holds until the commit.
///
/// On a data directory the only process has counted already.
pub(crate) async fn running_users(
    connection: &mut Connection,
    source: Guid,
    target: Option<Guid>,
    now: Timestamp,
) -> Result<RunningUsers, Fault> {
    if !connection.is_shared() {
        return Ok(RunningUsers::default());
    }
    let rows = sql::query(
        "SELECT migration_user.source_endpoint = ?1 AND lease_until IS NOT NULL AND pass <> 'First' AS later, \
         batch.target_endpoint IS NOT DISTINCT FROM ?2 AS at_target, count(*) AS users FROM migration_user \
         JOIN batch ON batch.guid = migration_user.batch WHERE lease_until IS NOT NULL OR check_until > ?3 GROUP BY 1, 2",
    )
    .bind(source)
    .bind(target)
    .bind(millis(now))
    .fetch_all(connection)
    .await?;
    let mut running = RunningUsers::default();
    for row in &rows {
        let cells = Cells(row);
        let users: u32 = cells.number("users")?;
        running.all += users;
        running.at_target += if cells.get("at_target")? { users } else { 0 };
        running.later_at_source +=
            if cells.get::<Option<bool>>("later")?.unwrap_or_default() { users } else { 0 };
    }
    Ok(running)
}
