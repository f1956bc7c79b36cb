//! Batches: named sets of users.

use jiff::Timestamp;
use mailhaul_migration::{Batch, BatchSettings, Guid, UserEvent, UserRow};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store,
    checksum::check_row,
    columns::{Cells, millis, millis_if},
    endpoints,
    error::{Fault, StoreError},
    events::{Due, Users, happen},
    members::{self, AddedUsers},
    service_rows,
    vault::secrets,
};

/// Warnings that a batch keeps: each time it is shown, they are read.
const MAX_WARNINGS: usize = 1_000;

/// A batch that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsertedBatch {
    /// As kept.
    pub batch: Batch,
    /// How many users it has.
    pub users: u64,
    /// Why rows were left out: `Row 7: ...`. The batch's warnings end with the first 1,000.
    pub left_out: Vec<String>,
}

/// A batch and its users after an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The batch as it is then.
    pub batch: Batch,
    /// How many of its users the event happened to.
    pub users: u64,
}

impl Store {
    /// Keeps a new batch with its users and their passwords, all or nothing. Users of a batch that runs are Queued, and
    /// due when it was made or at its `StartAfter`; those of another are Stopped. A row whose address is in another batch
    /// is left out.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::NotFound`] for an endpoint that is none; [`StoreError::VaultLocked`].
    pub async fn insert_batch(&self, batch: Batch, users: Vec<UserRow>) -> Result<InsertedBatch, StoreError> {
        let keys = self.shared.keys.clone();
        self.change(move |connection| {
            Box::pin(async move {
                insert(connection, &batch).await?;
                let added = members::add(connection, &keys, &batch, users, batch.created).await?;
                let batch = warn(connection, batch.guid, &added.left_out).await?;
                Ok(InsertedBatch { batch, users: added.added, left_out: added.left_out })
            })
        })
        .await
    }

    /// Adds users to a batch, as [`Store::insert_batch`] does. A row whose address is in the batch already mends that
    /// user's logins, root and passwords, and leaves its state as it is; an optional cell that is empty keeps what is
    /// there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::VaultLocked`].
    pub async fn add_users(
        &self,
        batch: Guid,
        users: Vec<UserRow>,
        now: Timestamp,
    ) -> Result<AddedUsers, StoreError> {
        let keys = self.shared.keys.clone();
        self.change(move |connection| {
            Box::pin(async move {
                let batch = find(connection, batch).await?;
                let added = members::add(connection, &keys, &batch, users, now).await?;
                warn(connection, batch.guid, &added.left_out).await?;
                Ok(added)
            })
        })
        .await
    }

    /// The batch of this GUID, without its numbers.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn batch_by_guid(&self, guid: Guid) -> Result<Batch, StoreError> {
        self.read(|connection| Box::pin(find(connection, guid))).await
    }

    /// Changes intent, settings, warnings, submitter and time of starting; GUID, name, endpoints and time of making stay.
    /// When users are due is left as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn update_batch(
        &self,
        guid: Guid,
        change: impl FnOnce(&mut Batch) + Send + 'static,
    ) -> Result<Batch, StoreError> {
        self.change(move |connection| Box::pin(update(connection, guid, change))).await
    }

    /// Changes a batch ([`Store::update_batch`]) and lets an event happen to those of its users for whom it is possible
    /// ([`Store::apply`]), both or neither.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn order_batch(
        &self,
        guid: Guid,
        event: UserEvent,
        now: Timestamp,
        due: Due,
        change: impl FnOnce(&mut Batch) + Send + 'static,
    ) -> Result<Ordered, StoreError> {
        self.change(move |connection| {
            Box::pin(async move {
                let batch = update(connection, guid, change).await?;
                let users = happen(connection, Users::OfBatch(guid), event, now, due).await?;
                Ok(Ordered { batch, users })
            })
        })
        .await
    }

    /// Removes a batch with its users, their passwords and reports; its name is free at once. What workers still write
    /// is refused. The ledgers stay, so that another batch doubles nothing. Returns how many users it had.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn remove_batch(&self, guid: Guid) -> Result<u64, StoreError> {
        self.change(move |connection| {
            Box::pin(async move {
                find(connection, guid).await?;
                secrets::remove_of_batch(connection, guid).await?;
                let users = sqlx::query("DELETE FROM user WHERE batch = ?")
                    .bind(guid)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query("DELETE FROM batch WHERE guid = ?").bind(guid).execute(connection).await?;
                Ok(users.rows_affected())
            })
        })
        .await
    }
}

pub(crate) async fn find(connection: &mut SqliteConnection, guid: Guid) -> Result<Batch, Fault> {
    let row = sqlx::query("SELECT * FROM batch WHERE guid = ?").bind(guid).fetch_optional(connection).await?;
    batch(&row.ok_or_else(|| StoreError::not_found("batch", guid))?)
}

async fn insert(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), Fault> {
    let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM batch WHERE name = ?)")
        .bind(batch.name.clone())
        .fetch_one(&mut *connection)
        .await?;
    if taken {
        return Err(StoreError::NameTaken { what: "batch", name: batch.name.clone() }.into());
    }
    for endpoint in [Some(batch.source_endpoint), batch.target_endpoint].into_iter().flatten() {
        endpoints::find(connection, endpoint).await?;
    }
    sqlx::query(
        "INSERT INTO batch (guid, name, source_endpoint, target_endpoint, intent, settings, submitted_by, \
         validation_warnings, created) VALUES (?, ?, ?, ?, ?, '{}', '', '[]', ?)",
    )
    .bind(batch.guid)
    .bind(batch.name.clone())
    .bind(batch.source_endpoint)
    .bind(batch.target_endpoint)
    .bind(batch.intent.to_string())
    .bind(millis(batch.created))
    .execute(&mut *connection)
    .await?;
    write(connection, batch).await
}

async fn update(
    connection: &mut SqliteConnection,
    guid: Guid,
    change: impl FnOnce(&mut Batch) + Send,
) -> Result<Batch, Fault> {
    let mut batch = find(connection, guid).await?;
    change(&mut batch);
    batch.guid = guid;
    write(connection, &batch).await?;
    find(connection, guid).await
}

/// Adds to the warnings, as far as a list of them can be of use.
async fn warn(connection: &mut SqliteConnection, guid: Guid, warnings: &[String]) -> Result<Batch, Fault> {
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

/// Writes what may change.
async fn write(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), Fault> {
    let settings = serde_json::to_string(&batch.settings).map_err(|it| Fault::Json("settings", it))?;
    let warnings = serde_json::to_string(&batch.validation_warnings)
        .map_err(|it| Fault::Json("validation_warnings", it))?;
    sqlx::query(
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

/// A row of the table.
pub(crate) fn batch(row: &SqliteRow) -> Result<Batch, Fault> {
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
        intent: cells.word("intent")?,
        settings,
        submitted_by: cells.get("submitted_by")?,
        validation_warnings: validation_warnings.map_err(|_| Fault::Unreadable("validation_warnings"))?,
        created: cells.time("created")?,
        started: cells.time_if("started")?,
    })
}
