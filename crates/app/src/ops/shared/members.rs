//! Users of a CSV file, checked against the two endpoints of their batch.

use std::collections::{HashMap, HashSet};

use mailhaul_migration::{Batch, CsvOptions, Endpoint, Guid, UserList, UserRow, read_users};
use mailhaul_operations::{Bytes, Failure};
use mailhaul_store::UserFilter;

use super::failures::{csv, into_failure};
use crate::context::Context;

/// Users per database query.
const PAGE: u32 = 5000;

/// Parses the CSV file.
///
/// Passwords are optional if an administrator or access tokens open the source mailboxes. With
/// access tokens, user names are optional too: the address names the mailbox.
pub(crate) fn read(
    file: &Bytes,
    allow_unknown_columns: Option<bool>,
    source: &Endpoint,
) -> Result<UserList, Failure> {
    let options = CsvOptions {
        allow_unknown_columns: allow_unknown_columns.unwrap_or(false),
        without_passwords: source.access.opens_every_mailbox(),
        without_user_names: source.access.oauth().is_some(),
    };
    read_users(file, options).map_err(csv)
}

/// Leaves out, with a warning, rows that would merge two mailboxes, or copy a mailbox into itself.
///
/// Users in `members` already have a password for the target. No cell is shown: in a shifted row it
/// may be a password.
pub(crate) fn fitting(
    list: UserList,
    source: &Endpoint,
    target: Option<&Endpoint>,
    members: &HashSet<String>,
) -> Result<UserList, Failure> {
    let UserList { users, mut warnings } = list;
    // The archive needs no login, and has one mailbox for each e-mail address.
    let Some(target) = target else { return Ok(UserList { users, warnings }) };
    let without_password =
        |it: &&UserRow| it.target_password.is_none() && !members.contains(&key(&it.email_address));
    if !target.access.opens_every_mailbox()
        && let Some(row) = users.iter().find(without_password)
    {
        return Err(Failure::invalid(format_args!(
            "CSVData: Row {}: TargetPassword is missing, and the target endpoint \"{}\" has no login for all mailboxes",
            row.row, target.name
        ))
        .with_advice(
            "Fill the column TargetPassword, or give the endpoint a login for all mailboxes with Set-MigrationEndpoint.",
        ));
    }
    let is_one_server =
        source.remote_server.eq_ignore_ascii_case(&target.remote_server) && source.port == target.port;
    let mut targets: HashMap<String, usize> = HashMap::with_capacity(users.len());
    let mut fitting = Vec::with_capacity(users.len());
    for user in users {
        let row = user.row;
        if is_one_server && user.user_root.is_none() && user.user_name == user.target_user_name {
            warnings
                .push(format!("Row {row}: source and target are the same mailbox; row {row} is left out"));
        } else if let Some(other) = targets.get(&key(&user.target_user_name)) {
            warnings
                .push(format!("Row {row}: row {other} has the same target mailbox; row {row} is left out"));
        } else {
            targets.insert(key(&user.target_user_name), row);
            fitting.push(user);
        }
    }
    Ok(UserList { users: fitting, warnings })
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// E-mail addresses of a batch's users.
pub(crate) async fn addresses(context: &Context, batch: Guid) -> Result<HashSet<String>, Failure> {
    let filter = UserFilter { batch: Some(batch), ..UserFilter::default() };
    let (mut addresses, mut after) = (HashSet::new(), None);
    loop {
        let page = context.store.users(&filter, after, PAGE).await.map_err(into_failure)?;
        addresses.extend(page.items.iter().map(|it| key(&it.email_address)));
        after = page.next;
        if after.is_none() {
            return Ok(addresses);
        }
    }
}

pub(crate) async fn endpoints_of(
    context: &Context,
    batch: &Batch,
) -> Result<(Endpoint, Option<Endpoint>), Failure> {
    let store = &context.store;
    let source = store.endpoint_by_guid(batch.source_endpoint).await.map_err(into_failure)?;
    let target = match batch.target_endpoint {
        Some(guid) => Some(store.endpoint_by_guid(guid).await.map_err(into_failure)?),
        None => None,
    };
    Ok((source, target))
}
