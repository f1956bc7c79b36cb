//! Moves the next pass of a batch's users when the batch's times change.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{BatchSettings, Guid, UserStatus};
use mailhaul_operations::Failure;
use mailhaul_store::{Due, Users};

use crate::{context::Context, ops::shared::failures::into_failure};

/// Times before the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    start_after: Option<Timestamp>,
    allow_incremental_syncs: bool,
    sync_interval: Duration,
}

impl Before {
    pub(crate) fn of(settings: &BatchSettings) -> Self {
        Self {
            start_after: settings.start_after,
            allow_incremental_syncs: settings.allow_incremental_syncs,
            sync_interval: settings.sync_interval,
        }
    }
}

/// Sets the time at which each user is due by the new settings.
pub(crate) async fn follow(
    context: &Context,
    batch: Guid,
    before: Before,
    after: &BatchSettings,
) -> Result<(), Failure> {
    let now = context.now();
    let between_passes = || vec![UserStatus::Synced, UserStatus::IncrementalFailed];
    let mut changes = Vec::new();
    if before.start_after != after.start_after {
        changes.push((vec![UserStatus::Queued], Due::AfterStart(now)));
    }
    if before.allow_incremental_syncs && !after.allow_incremental_syncs {
        changes.push((between_passes(), Due::Never));
    } else if !before.allow_incremental_syncs && after.allow_incremental_syncs {
        changes.push((between_passes(), Due::At(now)));
    } else if after.allow_incremental_syncs && before.sync_interval != after.sync_interval {
        // Users were synced at different times; all of them get one interval from now.
        let next = SignedDuration::try_from(after.sync_interval).ok().and_then(|it| now.checked_add(it).ok());
        changes.push((between_passes(), next.map_or(Due::Never, Due::At)));
    }
    for (statuses, due) in changes {
        context.store.jobs().reschedule(Users::OfBatch(batch), statuses, due).await.map_err(into_failure)?;
    }
    Ok(())
}
