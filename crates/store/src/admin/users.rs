//! The users of batches: search, count, pages.

use jiff::Timestamp;
use mailhaul_migration::{DataConsistencyScore, Guid, MigrationUser, PassFailure, Statistics, StatusCounts};

use crate::{
    admin::user_filter::UserFilter,
    db::{
        checksum::check_row,
        columns::{Cells, millis_if, whole},
        error::{Fault, StoreError},
        pages::{Bookmark, Page, rows},
        sql::{self, Builder, Connection, Row},
    },
    handles::UserRows,
    jobs::check_row,
    vault::secrets,
};

/// The times of a user. They replace those of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserTimes {
    /// Time before which no mail is moved.
    pub start_after: Option<Timestamp>,
    /// Time of the completion.
    pub complete_after: Option<Timestamp>,
}

impl UserRows<'_> {
    /// Returns the user of this e-mail address or GUID, in this batch if one is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get(self, identity: &str, batch: Option<Guid>) -> Result<MigrationUser, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let identity = identity.to_owned();
            Box::pin(async move {
                let row = sql::query(
                    "SELECT migration_user.* FROM migration_user WHERE (guid = ?1 OR email_key = ?2) AND (?3 IS NULL OR batch = ?3) \
                     ORDER BY guid = ?1 DESC LIMIT 1",
                )
                .bind(Guid::parse_str(&identity).ok())
                .bind(identity.to_ascii_lowercase())
                .bind(batch)
                .fetch_optional(connection)
                .await?;
                user(&row.ok_or_else(|| StoreError::not_found("user", &identity))?)
            })
        })
        .await
    }

    /// Returns the user of this GUID.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn by_guid(self, guid: Guid) -> Result<MigrationUser, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(find(connection, guid))).await
    }

    /// Returns a page of the users in the order of creation, after the last one of the previous page.
    pub async fn list(
        self,
        filter: &UserFilter,
        after: Option<Bookmark>,
        limit: u32,
    ) -> Result<Page<MigrationUser>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let filter = filter.clone();
            Box::pin(async move { page(connection, &filter, after, limit).await })
        })
        .await
    }

    /// Counts the users in each status, of one batch or of all.
    pub async fn count(self, batch: Option<Guid>) -> Result<StatusCounts, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let mut query = Builder::new("SELECT status, count(*) AS users FROM migration_user");
                if let Some(batch) = batch {
                    query.push(" WHERE batch = ").push_bind(batch);
                }
                query.push(" GROUP BY status");
                let rows = query.build().fetch_all(connection).await?;
                let mut counts = StatusCounts::default();
                for row in &rows {
                    counts.add(Cells(row).word("status")?, Cells(row).number("users")?);
                }
                Ok(counts)
            })
        })
        .await
    }

    /// Changes the times of a user. Its due time stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn update(
        self,
        guid: Guid,
        change: impl FnOnce(&mut UserTimes) + Send + 'static,
    ) -> Result<MigrationUser, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let user = find(connection, guid).await?;
                let mut times =
                    UserTimes { start_after: user.start_after, complete_after: user.complete_after };
                change(&mut times);
                sql::query("UPDATE migration_user SET start_after = ?, complete_after = ? WHERE guid = ?")
                    .bind(millis_if(times.start_after))
                    .bind(millis_if(times.complete_after))
                    .bind(guid)
                    .execute(&mut *connection)
                    .await?;
                find(connection, guid).await
            })
        })
        .await
    }

    /// Removes a user from its batch, with its passwords and its report.
    ///
    /// Later writes of its worker are refused. The ledger of the mailbox stays, so that a later migration
    /// copies nothing twice.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn remove(self, guid: Guid) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                secrets::remove(connection, guid).await?;
                let removed = sql::query("DELETE FROM migration_user WHERE guid = ?")
                    .bind(guid)
                    .execute(connection)
                    .await?;
                match removed {
                    0 => Err(StoreError::not_found("user", guid).into()),
                    _ => Ok(()),
                }
            })
        })
        .await
    }
}

async fn page(
    connection: &mut Connection,
    filter: &UserFilter,
    after: Option<Bookmark>,
    limit: u32,
) -> Result<Page<MigrationUser>, Fault> {
    let mut query = Builder::new("SELECT migration_user.* FROM migration_user WHERE id > ");
    query.push_bind(after.map_or(0, |it| it.0));
    filter.push(&mut query);
    query.push(" ORDER BY id LIMIT ").push_bind(rows(limit));
    let found = query.build().fetch_all(connection).await?;
    let users = found.iter().map(|row| Ok((Cells(row).get("id")?, user(row)?)));
    Ok(Page::from_rows(users.collect::<Result<_, Fault>>()?, limit))
}

pub(crate) async fn find(connection: &mut Connection, guid: Guid) -> Result<MigrationUser, Fault> {
    let row = sql::query("SELECT migration_user.* FROM migration_user WHERE guid = ?")
        .bind(guid)
        .fetch_optional(connection)
        .await?;
    user(&row.ok_or_else(|| StoreError::not_found("user", guid))?)
}

/// Reads a row of the table.
pub(crate) fn user(row: &Row) -> Result<MigrationUser, Fault> {
    check_row("user", row)?;
    let cells = Cells(row);
    Ok(MigrationUser {
        guid: cells.get("guid")?,
        batch: cells.get("batch")?,
        row: cells.number("csv_row")?,
        email_address: cells.get("email_address")?,
        user_name: cells.get("user_name")?,
        user_root: cells.get("user_root")?,
        target_user_name: cells.get("target_user_name")?,
        status: cells.word("status")?,
        status_since: cells.time("status_since")?,
        due: cells.time_if("due")?,
        attempts: cells.number("attempts")?,
        start_after: cells.time_if("start_after")?,
        complete_after: cells.time_if("complete_after")?,
        failure: failure(cells)?,
        initial_synced: cells.time_if("initial_synced")?,
        last_synced: cells.time_if("last_synced")?,
        statistics: statistics(cells)?,
        approved: cells.time_if("approved")?,
        check: check_row::check(cells)?,
    })
}

/// Reads the failure from a row of the table.
pub(crate) fn failure(cells: Cells<'_>) -> Result<Option<PassFailure>, Fault> {
    if cells.get::<Option<&str>>("failure_class")?.is_none() {
        return Ok(None);
    }
    Ok(Some(PassFailure {
        class: cells.word("failure_class")?,
        message: cells.get("failure_message")?,
        advice: cells.get("failure_advice")?,
    }))
}

/// Reads the columns of the same names, or sums of them.
pub(crate) fn statistics(cells: Cells<'_>) -> Result<Statistics, Fault> {
    Ok(Statistics {
        total_items: cells.number("total_items")?,
        synced_items: cells.number("synced_items")?,
        skipped_items: cells.number("skipped_items")?,
        waiting_deletions: cells.number("waiting_deletions")?,
        estimated_bytes: cells.number("estimated_bytes")?,
        bytes_transferred: cells.number("bytes_transferred")?,
        pass_bytes: cells.number("pass_bytes")?,
        pass_items: cells.number("pass_items")?,
        queued_millis: cells.number("queued_millis")?,
        in_progress_millis: cells.number("in_progress_millis")?,
        synced_millis: cells.number("synced_millis")?,
        stalled_millis: cells.number("stalled_millis")?,
    })
}

/// Writes a worker's numbers. The status changes count the durations.
///
/// An approval ends if more messages are skipped than were approved.
pub(crate) async fn write_statistics(
    connection: &mut Connection,
    guid: Guid,
    counted: &Statistics,
) -> Result<(), Fault> {
    let score = DataConsistencyScore::of(counted.total_items, counted.skipped_items) as i64;
    sql::query(
        "UPDATE migration_user SET approved = CASE WHEN ?3 > skipped_items THEN NULL ELSE approved END, total_items = ?1, \
         synced_items = ?2, skipped_items = ?3, estimated_bytes = ?4, bytes_transferred = ?5, pass_bytes = ?6, \
         pass_items = ?7, stalled_millis = ?8, score = ?9, waiting_deletions = ?11 WHERE guid = ?10",
    )
    .bind(whole(counted.total_items))
    .bind(whole(counted.synced_items))
    .bind(whole(counted.skipped_items))
    .bind(whole(counted.estimated_bytes))
    .bind(whole(counted.bytes_transferred))
    .bind(whole(counted.pass_bytes))
    .bind(whole(counted.pass_items))
    .bind(whole(counted.stalled_millis))
    .bind(score)
    .bind(guid)
    .bind(whole(counted.waiting_deletions))
    .execute(connection)
    .await?;
    Ok(())
}
