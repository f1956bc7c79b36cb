//! Changes of many users at once, selected by a filter.

use jiff::Timestamp;
use mailhaul_migration::{Guid, UserEvent, UserStatus};

use crate::{
    admin::user_filter::UserFilter,
    db::{
        columns::{Cells, millis_if},
        error::{Fault, StoreError},
        sql::{self, Builder, Connection},
    },
    handles::UserRows,
    jobs::events::{Due, StatusKey, UserSelection, Users, move_all},
};

/// A user of a selection, with what decides about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedUser {
    /// Number that the database gave the user, for [`Users::Listed`].
    pub number: i64,
    pub guid: Guid,
    pub batch: Guid,
    pub email_address: String,
    pub status: UserStatus,
}

/// The users of a selection after an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppliedEvent {
    /// Users that the event changed, with the status before.
    pub changed: Vec<SelectedUser>,
    /// Users for which the event was impossible.
    pub refused: Vec<SelectedUser>,
}

/// Numbers of the users that were named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsersByName {
    pub numbers: Vec<i64>,
    /// Names without a user.
    pub missing: Vec<String>,
}

impl UserRows<'_> {
    /// Finds the users of these e-mail addresses or GUIDs.
    pub async fn named(self, names: Vec<String>) -> Result<UsersByName, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let names = names.clone();
            Box::pin(async move { named(connection, names).await })
        })
        .await
    }

    /// Returns the users that the filter selects, in the order of creation.
    pub async fn selected(self, filter: &UserFilter) -> Result<Vec<SelectedUser>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let filter = filter.clone();
            Box::pin(async move {
                let users = selected(connection, &filter).await?;
                Ok(users.into_iter().map(|(user, _)| user).collect())
            })
        })
        .await
    }

    /// Applies an event to the users that the filter selects, and tells for whom it was impossible.
    pub async fn apply_to(
        self,
        filter: UserFilter,
        event: UserEvent,
        now: Timestamp,
        due: Due,
    ) -> Result<AppliedEvent, StoreError> {
        let db = self.0;
        db.order(move |connection| {
            Box::pin(async move {
                lock(connection, &filter).await?;
                let mut applied = AppliedEvent::default();
                for (user, key) in selected(connection, &filter).await? {
                    let is_possible = key.after(event).is_ok();
                    let list = if is_possible { &mut applied.changed } else { &mut applied.refused };
                    list.push(user);
                }
                let numbers = applied.changed.iter().map(|user| user.number).collect();
                move_all(connection, &UserSelection::Listed(numbers), event, now, due).await?;
                Ok(applied)
            })
        })
        .await
    }

    /// Changes the times of users: each that is given. `Some(None)` removes it. Their due times stay.
    pub async fn set_times(
        self,
        users: Users,
        start_after: Option<Option<Timestamp>>,
        complete_after: Option<Option<Timestamp>>,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.order(move |connection| {
            Box::pin(async move {
                let selection = UserSelection::from_users(users);
                for (column, time) in [("start_after", start_after), ("complete_after", complete_after)] {
                    let Some(time) = time else { continue };
                    let sql = format!("UPDATE migration_user SET {column} = ?2 WHERE {}", selection.sql());
                    let query = sql::query(sql).bind(selection.value()).bind(millis_if(time));
                    query.execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Removes the users that the filter selects, as [`Store::remove_user`] does. Returns them.
    pub async fn remove_selected(self, filter: UserFilter) -> Result<Vec<SelectedUser>, StoreError> {
        let db = self.0;
        db.order(move |connection| {
            Box::pin(async move {
                lock(connection, &filter).await?;
                let users: Vec<SelectedUser> =
                    selected(connection, &filter).await?.into_iter().map(|(user, _)| user).collect();
                let numbers: Vec<i64> = users.iter().map(|user| user.number).collect();
                for sql in [
                    "DELETE FROM secret WHERE owner IN (SELECT guid FROM migration_user WHERE id IN \
                     (SELECT value FROM json_each(?)))",
                    "DELETE FROM migration_user WHERE id IN (SELECT value FROM json_each(?))",
                ] {
                    sql::query(sql).bind(numbers.clone()).execute(&mut *connection).await?;
                }
                Ok(users)
            })
        })
        .await
    }
}

async fn named(connection: &mut Connection, names: Vec<String>) -> Result<UsersByName, Fault> {
    let keys: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    // CROSS JOIN keeps the order: one search of the index for each address.
    let query = sql::query(
        "SELECT migration_user.id, migration_user.email_key FROM json_each(?) AS wanted \
         CROSS JOIN migration_user WHERE migration_user.email_key = wanted.value",
    );
    let mut found = Vec::with_capacity(names.len());
    for row in &query.bind(keys).fetch_all(&mut *connection).await? {
        found.push((Cells(row).get::<String>("email_key")?, Cells(row).get::<i64>("id")?));
    }
    let mut users = UsersByName::default();
    for name in names {
        let key = name.to_ascii_lowercase();
        let number = match found.iter().find(|(known, _)| *known == key) {
            Some((_, number)) => Some(*number),
            None => numbered(connection, &name).await?,
        };
        match number {
            Some(number) => users.numbers.push(number),
            None => users.missing.push(name),
        }
    }
    users.numbers.sort_unstable();
    users.numbers.dedup();
    Ok(users)
}

/// Returns the number of the user with this GUID.
async fn numbered(connection: &mut Connection, name: &str) -> Result<Option<i64>, Fault> {
    let Ok(guid) = Guid::parse_str(name) else { return Ok(None) };
    let query = sql::query_scalar("SELECT id FROM migration_user WHERE guid = ?").bind(guid);
    Ok(query.fetch_optional(connection).await?)
}

/// Locks the users on a server, so that their statuses stay until the end of the transaction.
async fn lock(connection: &mut Connection, filter: &UserFilter) -> Result<(), Fault> {
    if connection.is_shared() {
        let mut query = Builder::new("SELECT id FROM migration_user WHERE true");
        filter.push(&mut query);
        query.push(" ORDER BY id FOR UPDATE");
        query.build().execute(connection).await?;
    }
    Ok(())
}

async fn selected(
    connection: &mut Connection,
    filter: &UserFilter,
) -> Result<Vec<(SelectedUser, StatusKey)>, Fault> {
    let columns = StatusKey::COLUMNS;
    let mut query = Builder::new(&format!(
        "SELECT id, guid, batch, email_address, {columns} FROM migration_user WHERE true"
    ));
    filter.push(&mut query);
    query.push(" ORDER BY id");
    let rows = query.build().fetch_all(connection).await?;
    let read = |row| {
        let cells = Cells(row);
        let user = SelectedUser {
            number: cells.get("id")?,
            guid: cells.get("guid")?,
            batch: cells.get("batch")?,
            email_address: cells.get("email_address")?,
            status: cells.word("status")?,
        };
        Ok((user, StatusKey::read(cells)?))
    };
    rows.iter().map(read).collect()
}
