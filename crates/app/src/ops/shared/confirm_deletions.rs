//! Confirmation of waiting deletions.
//!
//! A pass keeps copies whose messages vanished if a server's mistake could explain it. The
//! administrator confirms their removal.

use mailhaul_migration::{Guid, MigrationUser};
use mailhaul_operations::Failure;
use mailhaul_store::UserFilter;

use super::failures::into_failure;
use crate::context::Context;

/// Users per database query.
const PAGE: u32 = 1000;

pub(crate) async fn of_user(context: &Context, user: &MigrationUser) -> Result<(), Failure> {
    confirm(context, std::slice::from_ref(user)).await
}

pub(crate) async fn of_batch(context: &Context, batch: Guid) -> Result<(), Failure> {
    let filter = UserFilter { batch: Some(batch), ..UserFilter::default() };
    let mut after = None;
    loop {
        let page = context.store.users().list(&filter, after, PAGE).await.map_err(into_failure)?;
        confirm(context, &page.items).await?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn confirm(context: &Context, users: &[MigrationUser]) -> Result<(), Failure> {
    let service_context = context.service_context();
    let mut mailboxes = Vec::with_capacity(users.len());
    for user in users {
        mailboxes.push(service_context.route(user).await.map_err(Failure::unavailable)?.keys);
    }
    context.store.jobs().confirm_removals(mailboxes).await.map_err(into_failure)
}
