//! Users of a CSV file between two endpoints: rows that cannot be migrated there.

use std::collections::HashMap;

use crate::{
    csv::UserList,
    csv_error::{CsvError, CsvErrors, CsvPlace, CsvRule},
    endpoint::Endpoint,
};

/// Leaves out, with a warning, rows that would merge two mailboxes, or copy a mailbox into itself.
///
/// A member, given by its address in lower case, already has a password for the target. The archive (`None`)
/// needs no login, and has one mailbox for each e-mail address. No cell is shown: in a shifted row
/// it may be a password.
///
/// # Errors
/// The returned errors name each row without a password for the target, and a list of which no row is left.
pub fn fit_users(
    list: &mut UserList,
    source: &Endpoint,
    target: Option<&Endpoint>,
    is_member: impl Fn(&str) -> bool,
) -> CsvErrors {
    let mut errors = CsvErrors::default();
    let Some(target) = target else { return errors };
    let had_users = !list.users.is_empty();
    if !target.access.opens_every_mailbox() {
        for user in &list.users {
            if user.target_password.is_none() && !is_member(&key(&user.email_address)) {
                let place = CsvPlace::row(user.row).named("TargetPassword");
                errors.push(CsvError::at(place, CsvRule::NoTargetPassword));
            }
        }
    }
    let is_one_server =
        source.remote_server.eq_ignore_ascii_case(&target.remote_server) && source.port == target.port;
    let mut targets: HashMap<String, usize> = HashMap::with_capacity(list.users.len());
    let mut fitting = Vec::with_capacity(list.users.len());
    for user in std::mem::take(&mut list.users) {
        let row = user.row;
        let target_mailbox = key(&user.target_user_name);
        if is_one_server && user.user_root.is_none() && user.user_name == user.target_user_name {
            list.leave_out(row, &CsvRule::SameMailbox);
        } else if let Some(first) = targets.get(&target_mailbox) {
            list.leave_out(row, &CsvRule::SameTarget { first: *first });
        } else {
            targets.insert(target_mailbox, row);
            fitting.push(user);
        }
    }
    list.users = fitting;
    if had_users && list.users.is_empty() {
        errors.push(CsvError::file(CsvRule::NoUsersLeft { left_out: list.left_out }));
    }
    errors
}

/// Leaves out, with a warning, users of other batches.
///
/// `batch_of` returns the batch of an address in lower case.
///
/// # Errors
/// The returned error says that no row is left.
pub fn leave_out_members(list: &mut UserList, batch_of: impl Fn(&str) -> Option<String>) -> CsvErrors {
    let had_users = !list.users.is_empty();
    let mut users = Vec::with_capacity(list.users.len());
    for user in std::mem::take(&mut list.users) {
        match batch_of(&key(&user.email_address)) {
            Some(batch) => list.leave_out(user.row, &CsvRule::OtherBatch { batch }),
            None => users.push(user),
        }
    }
    list.users = users;
    let mut errors = CsvErrors::default();
    if had_users && list.users.is_empty() {
        errors.push(CsvError::file(CsvRule::NoUsersLeft { left_out: list.left_out }));
    }
    errors
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}
