//! A change of one user or of many, and what a user's status refuses.

use jiff::{Timestamp, tz::TimeZone};
use mailhaul_migration::{BatchIntent, MigrationUser, StatusSummary, UserStatus};
use mailhaul_operations::{Change, DateTime, Failure};
use mailhaul_store::UserTimes;

use crate::time_zones::change;

/// Change of users that is the same for each of them.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(super) struct UserChange {
    pub(super) start_after: Change<DateTime>,
    pub(super) complete_after: Change<DateTime>,
    pub(super) sync_now: bool,
    pub(super) check_now: bool,
    pub(super) approve_skipped_items: bool,
    pub(super) confirm_deletions: bool,
}

impl UserChange {
    /// New times, in the time zone of the users' batch.
    pub(super) fn new_times(
        &self,
        zone: &TimeZone,
    ) -> Result<(Change<Timestamp>, Change<Timestamp>), Failure> {
        let start = change("StartAfter", self.start_after, zone)?;
        Ok((start, change("CompleteAfter", self.complete_after, zone)?))
    }

    /// Times of the user after the change; `None` if nothing changes.
    pub(super) fn times(&self, user: &MigrationUser, zone: &TimeZone) -> Result<Option<UserTimes>, Failure> {
        let before = UserTimes { start_after: user.start_after, complete_after: user.complete_after };
        let mut times = before;
        let (start, complete) = self.new_times(zone)?;
        start.apply(&mut times.start_after);
        complete.apply(&mut times.complete_after);
        Ok((times != before).then_some(times))
    }

    /// Refuses what the status of a user does not allow.
    pub(super) fn check(
        &self,
        address: &str,
        status: UserStatus,
        intent: BatchIntent,
    ) -> Result<(), Failure> {
        if self.sync_now {
            check_sync_now(address, status, intent)?;
        }
        if self.check_now { check_check_now(address, status) } else { Ok(()) }
    }
}

/// Refuses a sync now that the status does not allow.
fn check_sync_now(address: &str, status: UserStatus, intent: BatchIntent) -> Result<(), Failure> {
    let is_between = matches!(status, UserStatus::Synced | UserStatus::IncrementalFailed);
    if is_between && intent == BatchIntent::Run {
        return Ok(());
    }
    let advice = if status.is_running() || status == UserStatus::Queued {
        "It is synced as soon as a connection slot is free; Get-MigrationUserStatistics shows its progress."
    } else {
        "Start it with Start-MigrationUser, or its batch with Start-MigrationBatch."
    };
    Err(Failure::conflict(format_args!(
        "the migration user \"{address}\" cannot be synced now: its status is {status}"
    ))
    .with_advice(advice))
}

/// Refuses a check of a completed user.
fn check_check_now(address: &str, status: UserStatus) -> Result<(), Failure> {
    if status.summary() != StatusSummary::Completed {
        return Ok(());
    }
    Err(Failure::conflict(format_args!(
        "the migration user \"{address}\" is not checked: its status is {status}"
    ))
    .with_advice("No mail of this user is moved any more."))
}
