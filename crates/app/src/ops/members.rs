//! The users in a CSV file, held against the endpoints between which they are to be migrated.

use std::collections::{HashMap, HashSet};

use mailhaul_migration::{Batch, CsvOptions, Endpoint, Guid, UserList, UserRow, read_users};
use mailhaul_operations::{Bytes, Failure};
use mailhaul_store::UserFilter;

use super::failures::{csv, told};
use crate::context::Context;

/// Users of one look into the database.
const PAGE: u32 = 5000;

/// Reads the file. Where somebody opens all mailboxes of the source, it needs no passwords; where that is done with access
/// tokens, mailboxes are called by their addresses.
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

/// Leaves out, with a warning, rows that would bring two mailboxes into one, or one into itself. Those who are `members`
/// already need no password for the target: they have one. No cell is shown: in a row that is shifted, it is a password.
pub(crate) fn fitting(
    list: UserList,
    source: &Endpoint,
    target: Option<&Endpoint>,
    members: &HashSet<String>,
) -> Result<UserList, Failure> {
    let UserList { users, mut warnings } = list;
    // The archive is open to us, and has a place for each e-mail address.
    let Some(target) = target else { return Ok(UserList { users, warnings }) };
    let without_password =
        |it: &&UserRow| it.target_password.is_none() && !members.contains(&key(&it.email_address));
    if !target.access.opens_every_mailbox()
        && let Some(row) = users.iter().find(without_password)
    {
        return Err(Failure::invalid(format_args!(
            "CSVData: Row {}: there is no TargetPassword, and the target endpoint \"{}\" has no login for all mailboxes",
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
            warnings.push(format!(
                "Row {row}: the target mailbox is that of row {other} already; row {row} is left out"
            ));
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

/// The e-mail addresses in a batch.
pub(crate) async fn addresses(context: &Context, batch: Guid) -> Result<HashSet<String>, Failure> {
    let filter = UserFilter { batch: Some(batch), ..UserFilter::default() };
    let (mut addresses, mut after) = (HashSet::new(), None);
    loop {
        let page = context.store.users(&filter, after, PAGE).await.map_err(told)?;
        addresses.extend(page.items.iter().map(|it| key(&it.email_address)));
        after = page.next;
        if after.is_none() {
            return Ok(addresses);
        }
    }
}

/// The endpoints of a batch.
pub(crate) async fn endpoints_of(
    context: &Context,
    batch: &Batch,
) -> Result<(Endpoint, Option<Endpoint>), Failure> {
    let store = &context.store;
    let source = store.endpoint_by_guid(batch.source_endpoint).await.map_err(told)?;
    let target = match batch.target_endpoint {
        Some(guid) => Some(store.endpoint_by_guid(guid).await.map_err(told)?),
        None => None,
    };
    Ok((source, target))
}
