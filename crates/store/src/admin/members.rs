//! Import of CSV rows as users of a batch, many with one statement.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{Batch, BatchIntent, CsvRule, Guid, UserRow, UserStatus};

use crate::{
    db::{
        checksum::check_row,
        columns::{Cells, millis},
        error::{Fault, StoreError},
        service_rows,
        sql::{self, Builder, Connection, Value},
    },
    jobs::pass_kind::PassKind,
    vault::{Keys, SecretName, secrets},
};

/// Rows of one statement. Thirteen columns each stay well under `SQLite`'s limit of 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 500;

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddedUsers {
    /// Number of new users.
    pub added: u64,
    /// Number of users whose logins and passwords were updated.
    pub updated: u64,
    /// Rows that were left out, with the reason: `Row 7: ...`.
    pub left_out: Vec<String>,
}

/// An existing user of any batch with the address of a row.
struct ExistingUser {
    guid: Guid,
    batch: Guid,
    batch_name: String,
}

/// Adds and updates users, and seals their passwords.
///
/// # Errors
/// [`StoreError::NoUsersLeft`] if all rows are left out.
pub(crate) async fn add(
    connection: &mut Connection,
    keys: &Keys,
    batch: &Batch,
    rows: Vec<UserRow>,
    now: Timestamp,
) -> Result<AddedUsers, Fault> {
    let known = known(connection, addresses(rows.iter())).await?;
    let mut added = AddedUsers::default();
    let mut seen = HashSet::with_capacity(rows.len());
    let mut users = Vec::with_capacity(rows.len());
    for row in rows {
        let address = row.email_address.to_ascii_lowercase();
        let number = row.row;
        match known.get(&address) {
            // No cell is shown: in a row with shifted columns it is a password.
            Some(other) if other.batch != batch.guid => {
                let rule = CsvRule::OtherBatch { batch: other.batch_name.clone() };
                added.left_out.push(rule.left_out(number));
            }
            _ if seen.contains(&address) => added.left_out.push(format!(
                "Row {number}: the EmailAddress is in an earlier row; row {number} is left out"
            )),
            Some(own) => {
                added.updated += 1;
                users.push((own.guid, row));
            }
            None => {
                added.added += 1;
                users.push((Guid::new_v4(), row));
            }
        }
        seen.insert(address);
    }
    if users.is_empty() && !added.left_out.is_empty() {
        return Err(StoreError::NoUsersLeft { left_out: added.left_out }.into());
    }
    let mut rest = users.into_iter();
    loop {
        let chunk: Vec<(Guid, UserRow)> = rest.by_ref().take(ROWS_PER_STATEMENT).collect();
        if chunk.is_empty() {
            return Ok(added);
        }
        upsert(connection, batch, &chunk, now).await?;
        seal(connection, keys, chunk).await?;
    }
}

/// Names of the batches that have users with these addresses, which are in lower case.
pub(crate) async fn batches_of(
    connection: &mut Connection,
    addresses: Vec<String>,
) -> Result<HashMap<String, String>, Fault> {
    let known = known(connection, addresses).await?;
    Ok(known.into_iter().map(|(address, user)| (address, user.batch_name)).collect())
}

/// Reads the users that have these addresses, by address. Addresses are in lower case.
async fn known(
    connection: &mut Connection,
    addresses: Vec<String>,
) -> Result<HashMap<String, ExistingUser>, Fault> {
    // CROSS JOIN keeps the order: one search of the index for each address, instead of one search of all
    // addresses for each user.
    let found = sql::query(
        "SELECT migration_user.*, batch.name AS batch_name FROM json_each(?) AS wanted \
         CROSS JOIN migration_user JOIN batch ON batch.guid = migration_user.batch \
         WHERE migration_user.email_key = wanted.value",
    )
    .bind(addresses)
    .fetch_all(connection)
    .await?;
    let known = found.iter().map(|row| {
        let cells = Cells(row);
        check_row("user", row)?;
        let address: String = cells.get("email_address")?;
        let known = ExistingUser {
            guid: cells.get("guid")?,
            batch: cells.get("batch")?,
            batch_name: cells.get("batch_name")?,
        };
        Ok((address.to_ascii_lowercase(), known))
    });
    known.collect()
}

/// An existing user keeps its status. An empty optional cell changes nothing.
const UPDATE_EXISTING: &str = "ON CONFLICT (email_key) DO UPDATE SET user_name = excluded.user_name, \
     user_root = coalesce(excluded.user_root, migration_user.user_root), \
     target_user_name = CASE WHEN excluded.target_user_name = excluded.email_address \
                        THEN migration_user.target_user_name ELSE excluded.target_user_name END, \
     check_due = CASE WHEN excluded.check_due IS NULL \
                 OR migration_user.status IN ('Completed', 'CompletedWithWarnings') \
                 THEN migration_user.check_due ELSE excluded.check_due END, \
     check_number = migration_user.check_number + 1, check_attempts = 0, check_delay = NULL";

async fn upsert(
    connection: &mut Connection,
    batch: &Batch,
    users: &[(Guid, UserRow)],
    now: Timestamp,
) -> Result<(), Fault> {
    let status = match batch.intent {
        BatchIntent::Run => UserStatus::Queued,
        BatchIntent::Created | BatchIntent::Stop => UserStatus::Stopped,
    };
    let pass = PassKind::before(status);
    // The archive accepts all users.
    let check = batch.target_endpoint.map(|_| now);
    let due = pass.map(|_| batch.settings.start_after.map_or(now, |start| start.max(now)));
    let mut query = Builder::new(
        "INSERT INTO migration_user (batch, source_endpoint, status, status_since, pass, due, check_due, guid, csv_row, \
         email_address, user_name, user_root, target_user_name) VALUES ",
    );
    query.push_rows(users.iter().map(|(guid, row)| -> [Value; 13] {
        [
            batch.guid.into(),
            batch.source_endpoint.into(),
            status.to_string().into(),
            millis(now).into(),
            pass.map(|it| it.to_string()).into(),
            due.map(millis).into(),
            check.map(millis).into(),
            (*guid).into(),
            i64::try_from(row.row).unwrap_or(i64::MAX).into(),
            row.email_address.clone().into(),
            row.user_name.clone().into(),
            row.user_root.clone().into(),
            row.target_user_name.clone().into(),
        ]
    }));
    query.push(" ").push(UPDATE_EXISTING);
    // Only the statement of a full chunk is used again.
    let query = query.build().persistent(users.len() == ROWS_PER_STATEMENT);
    query.execute(&mut *connection).await?;
    service_rows::stamp_users(connection, addresses(users.iter().map(|(_, row)| row))).await
}

/// Returns the addresses of the rows in lower case, as the index has them.
fn addresses<'a>(rows: impl Iterator<Item = &'a UserRow>) -> Vec<String> {
    rows.map(|row| row.email_address.to_ascii_lowercase()).collect()
}

async fn seal(connection: &mut Connection, keys: &Keys, users: Vec<(Guid, UserRow)>) -> Result<(), Fault> {
    let mut sources: Vec<(Guid, Secret)> = Vec::with_capacity(users.len());
    let mut targets = Vec::new();
    for (guid, row) in users {
        sources.extend(row.password.map(|password| (guid, password)));
        targets.extend(row.target_password.map(|password| (guid, password)));
    }
    secrets::put(connection, keys, SecretName::Password, &sources).await?;
    secrets::put(connection, keys, SecretName::TargetPassword, &targets).await
}
