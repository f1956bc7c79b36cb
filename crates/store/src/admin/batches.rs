//! Batches: named sets of users.

use std::collections::HashMap;

use jiff::Timestamp;
use mailhaul_migration::{Batch, BatchSettings, Guid, UserEvent, UserRow};

use crate::{
    admin::{
        endpoints,
        members::{self, AddedUsers},
    },
    db::{
        checksum::check_row,
        columns::{Cells, millis, millis_if},
        error::{Fault, StoreError},
        service_rows,
        sql::{self, Connection, Row},
    },
    handles::Batches,
    jobs::events::{Due, Users, happen},
    vault::secrets,
};

/// Warnings that a batch keeps. They are read each time that the batch is shown.
const MAX_WARNINGS: usize = 1_000;

/// A new batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsertedBatch {
    /// The batch as it is stored.
    pub batch: Batch,
    /// Number of its users.
    pub users: u64,
    /// Rows that were left out, with the reason: `Row 7: ...`.
    ///
    /// The first 1,000 of them are at the end of the batch's warnings.
    pub left_out: Vec<String>,
}

/// A batch and its users after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandedBatch {
    pub batch: Batch,
    /// Number of users whose status the event changed.
    pub users: u64,
}

impl Batches<'_> {
    /// Stores a new batch with its users and their passwords, all or nothing.
    ///
    /// Users of a running batch are Queued. They are due when the batch was created, or at its `StartAfter`.
    /// Users of any other batch are Stopped. A row whose address is in another batch is left out.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::NotFound`] if an endpoint does not exist;
    /// [`StoreError::NoUsersLeft`] if all rows are left out; [`StoreError::VaultLocked`].
    pub async fn insert(self, batch: Batch, users: Vec<UserRow>) -> Result<InsertedBatch, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        db.change(move |connection| {
            Box::pin(async move {
                insert(connection, &batch).await?;
                let added = members::add(connection, &keys, &batch, users, batch.created).await?;
                let batch = warn(connection, batch.guid, &added.left_out).await?;
                Ok(InsertedBatch { batch, users: added.added, left_out: added.left_out })
            })
        })
        .await
    }

    /// Adds users to a batch, as [`Batches::insert`] does.
    ///
    /// A row whose address is in the batch already updates that user's logins, root and passwords, and leaves
    /// its status. An empty optional cell changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NoUsersLeft`] if all rows are left out;
    /// [`StoreError::VaultLocked`].
    pub async fn add_users(
        self,
        batch: Guid,
        users: Vec<UserRow>,
        now: Timestamp,
    ) -> Result<AddedUsers, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        db.change(move |connection| {
            Box::pin(async move {
                let batch = find(connection, batch).await?;
                let added = members::add(connection, &keys, &batch, users, now).await?;
                warn(connection, batch.guid, &added.left_out).await?;
                Ok(added)
            })
        })
        .await
    }

    /// Returns the names of the batches that have users with these addresses, by address in lower case.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn of_addresses(self, addresses: Vec<String>) -> Result<HashMap<String, String>, StoreError> {
        let db = self.0;
        let addresses: Vec<String> = addresses.into_iter().map(|it| it.to_ascii_lowercase()).collect();
        db.read(move |connection| {
            let addresses = addresses.clone();
            Box::pin(async move { members::batches_of(connection, addresses).await })
        })
        .await
    }

    /// Returns the batch of this GUID, without its numbers.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn by_guid(self, guid: Guid) -> Result<Batch, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(find(connection, guid))).await
    }

    /// Changes intent, settings, warnings, submitter and start time of a batch.
    ///
    /// GUID, name, endpoints and creation time stay, and so do the due times of its users.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn update(
        self,
        guid: Guid,
        change: impl FnOnce(&mut Batch) + Send + 'static,
    ) -> Result<Batch, StoreError> {
        let db = self.0;
        db.change(move |connection| Box::pin(update(connection, guid, change))).await
    }

    /// Changes a batch and applies an event to its users, both or neither.
    ///
    /// The event reaches the users for selection it is possible ([`Jobs::apply`]). See [`Batches::update`]
    /// for the change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn order(
        self,
        guid: Guid,
        event: UserEvent,
        now: Timestamp,
        due: Due,
        change: impl FnOnce(&mut Batch) + Send + 'static,
    ) -> Result<CommandedBatch, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let batch = update(connection, guid, change).await?;
                let users = happen(connection, Users::OfBatch(guid), event, now, due).await?;
                Ok(CommandedBatch { batch, users })
            })
        })
        .await
    }

    /// Removes a batch with its users, their passwords and reports. Returns the number of users.
    ///
    /// Its name is free at once. Later writes of workers are refused. The ledgers stay, so that another batch
    /// copies nothing twice.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn remove(self, guid: Guid) -> Result<u64, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                find(connection, guid).await?;
                secrets::remove_of_batch(connection, guid).await?;
                let users = sql::query("DELETE FROM migration_user WHERE batch = ?")
                    .bind(guid)
                    .execute(&mut *connection)
                    .await?;
                sql::query("DELETE FROM batch WHERE guid = ?").bind(guid).execute(connection).await?;
                Ok(users)
            })
        })
        .await
    }
}

pub(crate) async fn find(connection: &mut Connection, guid: Guid) -> Result<Batch, Fault> {
    let row =
        sql::query("SELECT batch.* FROM batch WHERE guid = ?").bind(guid).fetch_optional(connection).await?;
    batch(&row.ok_or_else(|| StoreError::not_found("batch", guid))?)
}

async fn insert(connection: &mut Connection, batch: &Batch) -> Result<(), Fault> {
    let taken: bool = sql::query_scalar("SELECT EXISTS (SELECT 1 FROM batch WHERE name_key = ?)")
        .bind(batch.name.to_ascii_lowercase())
        .fetch_one(&mut *connection)
        .await?;
    if taken {
        return Err(StoreError::NameTaken { what: "batch", name: batch.name.clone() }.into());
    }
    for endpoint in [Some(batch.source_endpoint), batch.target_endpoint].into_iter().flatten() {
        endpoints::find(connection, endpoint).await?;
    }
    sql::query(
        "INSERT INTO batch (guid, name, source_endpoint, target_endpoint, archive, intent, settings, submitted_by, \
         validation_warnings, created) VALUES (?, ?, ?, ?, ?, ?, '{}', '', '[]', ?)",
    )
    .bind(batch.guid)
    .bind(batch.name.clone())
    .bind(batch.source_endpoint)
    .bind(batch.target_endpoint)
    .bind(batch.archive)
    .bind(batch.intent.to_string())
    .bind(millis(batch.created))
    .execute(&mut *connection)
    .await?;
    write(connection, batch).await
}

async fn update(
    connection: &mut Connection,
    guid: Guid,
    change: impl FnOnce(&mut Batch) + Send,
) -> Result<Batch, Fault> {
    let mut batch = find(connection, guid).await?;
    change(&mut batch);
    batch.guid = guid;
    write(connection, &batch).await?;
    find(connection, guid).await
}

/// Appends warnings, up to the limit of the list.
async fn warn(connection: &mut Connection, guid: Guid, warnings: &[String]) -> Result<Batch, Fault> {
    let warnings = warnings.to_vec();
    update(connection, guid, |batch| {
        let known = &mut batch.validation_warnings;
        let room = MAX_WARNINGS.saturating_sub(known.len());
        let more = warnings.len().saturating_sub(room);
        known.extend(warnings.into_iter().take(room));
        if more > 0 {
            known.push(format!("{more} further rows were left out"));
        }
    })
    .await
}

/// Writes the columns that may change.
async fn write(connection: &mut Connection, batch: &Batch) -> Result<(), Fault> {
    let settings = serde_json::to_string(&batch.settings).map_err(|it| Fault::Json("settings", it))?;
    let warnings = serde_json::to_string(&batch.validation_warnings)
        .map_err(|it| Fault::Json("validation_warnings", it))?;
    sql::query(
        "UPDATE batch SET intent = ?, settings = ?, start_after = ?, complete_after = ?, submitted_by = ?, \
         validation_warnings = ?, started = ? WHERE guid = ?",
    )
    .bind(batch.intent.to_string())
    .bind(settings)
    .bind(millis_if(batch.settings.start_after))
    .bind(millis_if(batch.settings.complete_after))
    .bind(batch.submitted_by.clone())
    .bind(warnings)
    .bind(millis_if(batch.started))
    .bind(batch.guid)
    .execute(&mut *connection)
    .await?;
    service_rows::stamp_batch(connection, batch.guid).await
}

/// Reads a row of the table.
pub(crate) fn batch(row: &Row) -> Result<Batch, Fault> {
    check_row("batch", row)?;
    let cells = Cells(row);
    let settings: BatchSettings =
        serde_json::from_str(cells.get("settings")?).map_err(|_| Fault::Unreadable("settings"))?;
    let validation_warnings = serde_json::from_str(cells.get("validation_warnings")?);
    Ok(Batch {
        guid: cells.get("guid")?,
        name: cells.get("name")?,
        source_endpoint: cells.get("source_endpoint")?,
        target_endpoint: cells.get("target_endpoint")?,
        archive: cells.get("archive")?,
        intent: cells.word("intent")?,
        settings,
        submitted_by: cells.get("submitted_by")?,
        validation_warnings: validation_warnings.map_err(|_| Fault::Unreadable("validation_warnings"))?,
        created: cells.time("created")?,
        started: cells.time_if("started")?,
    })
}
