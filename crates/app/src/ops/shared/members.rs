//! Users of a CSV file, checked against the two endpoints of their batch.

use std::collections::HashSet;

use mailhaul_migration::{
    Batch, CsvErrors, CsvOptions, Endpoint, Guid, UserList, check_users, fit_users, read_users,
};
use mailhaul_operations::{Bytes, Failure};
use mailhaul_store::UserFilter;

use super::{csv_errors::refused_file, failures::into_failure};
use crate::context::Context;

/// Users per database query.
const PAGE: u32 = 5000;

/// The two endpoints of a batch.
pub(crate) struct Ends {
    pub(crate) source: Endpoint,
    /// `None` is the archive.
    pub(crate) target: Option<Endpoint>,
}

impl Ends {
    /// Parses the CSV file, and checks its users against both endpoints.
    ///
    /// Users in `members` already have a password for the target.
    pub(crate) fn check(
        &self,
        file: &Bytes,
        allow_unknown_columns: Option<bool>,
        members: &HashSet<String>,
    ) -> (UserList, CsvErrors) {
        let (mut list, mut errors) = check_users(file, csv_options(&self.source, allow_unknown_columns));
        errors.extend(fit_users(&mut list, &self.source, self.target.as_ref(), |it| members.contains(it)));
        (list, errors)
    }

    /// Parses the CSV file as [`Ends::check`] does, and refuses it if it has an error.
    pub(crate) fn users(
        &self,
        file: &Bytes,
        allow_unknown_columns: Option<bool>,
        members: &HashSet<String>,
    ) -> Result<UserList, Failure> {
        let (list, errors) = self.check(file, allow_unknown_columns, members);
        errors.into_result().map_err(refused_file)?;
        Ok(list)
    }
}

/// Options of the CSV file.
///
/// Passwords are optional if an administrator or access tokens open the source mailboxes. With
/// access tokens, user names are optional too: the address names the mailbox.
fn csv_options(source: &Endpoint, allow_unknown_columns: Option<bool>) -> CsvOptions {
    CsvOptions {
        allow_unknown_columns: allow_unknown_columns.unwrap_or(false),
        without_passwords: source.access.opens_every_mailbox(),
        without_user_names: source.access.oauth().is_some(),
    }
}

/// Parses the CSV file without a check against a target.
pub(crate) fn read(file: &Bytes, source: &Endpoint) -> Result<UserList, Failure> {
    read_users(file, csv_options(source, None)).map_err(refused_file)
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// E-mail addresses of a batch's users.
pub(crate) async fn addresses(context: &Context, batch: Guid) -> Result<HashSet<String>, Failure> {
    let filter = UserFilter { batch: Some(batch), ..UserFilter::default() };
    let (mut addresses, mut after) = (HashSet::new(), None);
    loop {
        let page = context.store.users().list(&filter, after, PAGE).await.map_err(into_failure)?;
        addresses.extend(page.items.iter().map(|it| key(&it.email_address)));
        after = page.next;
        if after.is_none() {
            return Ok(addresses);
        }
    }
}

pub(crate) async fn ends_of(context: &Context, batch: &Batch) -> Result<Ends, Failure> {
    let store = &context.store;
    let source = store.endpoints().by_guid(batch.source_endpoint).await.map_err(into_failure)?;
    let target = match batch.target_endpoint {
        Some(guid) => Some(store.endpoints().by_guid(guid).await.map_err(into_failure)?),
        None => None,
    };
    Ok(Ends { source, target })
}
