//! Set-MigrationUser for many users.

use std::collections::{BTreeMap, btree_map::Entry};

use mailhaul_migration::{Batch, Guid, UserStatus};
use mailhaul_operations::{Answer, Change, Failure, ManyOutcome};
use mailhaul_store::{Due, UserFilter, Users};

use super::{user_change::UserChange, view::MigrationUser};
use crate::{
    context::Context,
    ops::shared::{confirm_deletions, failures::into_failure},
    time_zones::zone,
};

/// Users of one batch that the change concerns, by the numbers of the database.
struct BatchPart {
    batch: Batch,
    numbers: Vec<i64>,
}

/// Changes the users that the filter selects. Users whose status does not allow it stay as they are.
pub(super) async fn run(
    context: &Context,
    change: &UserChange,
    filter: UserFilter,
    mut refusals: Vec<(String, Failure)>,
) -> Result<Answer<MigrationUser>, Failure> {
    let store = &context.store;
    let mut parts: BTreeMap<Guid, BatchPart> = BTreeMap::new();
    for user in store.users().selected(&filter).await.map_err(into_failure)? {
        let part = match parts.entry(user.batch) {
            Entry::Occupied(part) => part.into_mut(),
            Entry::Vacant(place) => {
                let batch = store.batches().by_guid(user.batch).await.map_err(into_failure)?;
                place.insert(BatchPart { batch, numbers: Vec::new() })
            }
        };
        match change.check(&user.email_address, user.status, part.batch.intent) {
            Ok(()) => part.numbers.push(user.number),
            Err(failure) => refusals.push((user.email_address, failure)),
        }
    }
    let parts: Vec<BatchPart> = parts.into_values().collect();
    // All checks come before the first change.
    let mut times = Vec::with_capacity(parts.len());
    for part in &parts {
        times.push(change.new_times(&zone(part.batch.settings.time_zone.as_deref())?)?);
    }
    let mut changed = 0;
    for (part, (start, complete)) in parts.into_iter().zip(times) {
        changed += part.numbers.len() as u64;
        let users = Users::Listed(part.numbers);
        store.users().set_times(users.clone(), given(start), given(complete)).await.map_err(into_failure)?;
        if start != Change::Keep {
            let due = Due::AfterStart(context.now());
            store
                .jobs()
                .reschedule(users.clone(), vec![UserStatus::Queued], due)
                .await
                .map_err(into_failure)?;
        }
        order(context, change, users).await?;
    }
    context.wake().await;
    Ok(Answer::many(ManyOutcome { changed, refusals }))
}

#[expect(clippy::option_option, reason = "not given, cleared, or set")]
fn given<T>(change: Change<T>) -> Option<Option<T>> {
    match change {
        Change::Keep => None,
        Change::Clear => Some(None),
        Change::To(value) => Some(Some(value)),
    }
}

/// Carries out the orders of the change.
async fn order(context: &Context, change: &UserChange, users: Users) -> Result<(), Failure> {
    let (store, now) = (&context.store, context.now());
    if change.approve_skipped_items {
        store.jobs().approve(users.clone(), now).await.map_err(into_failure)?;
    }
    if change.confirm_deletions
        && let Users::Listed(numbers) = &users
    {
        confirm_deletions::of_numbers(context, numbers.clone()).await?;
    }
    if change.sync_now {
        let between = vec![UserStatus::Synced, UserStatus::IncrementalFailed];
        store.jobs().reschedule(users.clone(), between, Due::At(now)).await.map_err(into_failure)?;
    }
    if change.check_now {
        store.checks().request(users, now).await.map_err(into_failure)?;
    }
    Ok(())
}
