//! Deliveries of the outbox: claims of those that are due, and their results.
//!
//! Crash safety: a claim counts as a try, and sets the time of the next one. A sender that ends between the mail
//! and its mark sends the mail again with the same id: it is told at least once.

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{
    DeliveryWay, FailureFigures, Guid, MAX_TRIES, NamedUsers, Notification, wait_after,
};

use crate::{
    cluster::server_clock::SERVER_NOW,
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection, Row},
    },
    handles::Outbox,
};

/// Time after which a delivery that was claimed for the last time may be sent once more.
const LAST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// Longest wait of a delivery. A later time is a time of a clock that went back since.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(25);
/// Users that a notification names; the others are counted.
const MAX_NAMED: i64 = 10;

/// A delivery that this process sends now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedDelivery {
    pub id: i64,
    pub notification: Notification,
    pub way: DeliveryWay,
    /// Address of a mail, or URL of a webhook.
    pub recipient: String,
    /// Number of tries, with this one.
    pub tries: u32,
}

impl Outbox<'_> {
    /// Claims deliveries that are due, for this sender. Each is sent by one node.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn claim(
        self,
        sender: Guid,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedDelivery>, StoreError> {
        let db = self.0;
        if db.read(|connection| Box::pin(due(connection, now, 1))).await?.is_empty() {
            return Ok(Vec::new());
        }
        db.change(move |connection| Box::pin(claim(connection, sender, now, limit))).await
    }

    /// Records the result of a try: delivered, or the reason in the words of the server.
    ///
    /// A delivery that another sender has claimed since stays as it is.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn record(
        self,
        claimed: &ClaimedDelivery,
        sender: Guid,
        result: Result<(), String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let db = self.0;
        let (id, tries) = (claimed.id, claimed.tries);
        db.change_beside(move |connection| {
            Box::pin(async move {
                let is_last = tries >= MAX_TRIES;
                let (delivered, error) = match result {
                    Ok(()) => (Some(millis(now)), None),
                    Err(error) => (None, Some(error)),
                };
                let end = if delivered.is_some() || is_last { ", due = NULL" } else { "" };
                let sql = format!(
                    "UPDATE outbox_delivery SET delivered = ?, last_error = ?, sender = NULL{end} \
                     WHERE id = ? AND sender = ? AND tries = ?"
                );
                let query = sql::query(sql).bind(delivered).bind(error).bind(id).bind(sender);
                query.bind(i64::from(tries)).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Makes deliveries due that a lost node, or an earlier process, was sending.
pub(crate) async fn take_back(connection: &mut Connection, owner: Guid, now: Timestamp) -> Result<(), Fault> {
    let dead = if connection.is_shared() {
        format!("AND sender NOT IN (SELECT guid FROM node WHERE until > {SERVER_NOW})")
    } else {
        // The caller has the file's lock.
        String::new()
    };
    let sql = format!(
        "UPDATE outbox_delivery SET sender = NULL, due = ? WHERE sender IS NOT NULL AND sender <> ? {dead}"
    );
    sql::query(sql).bind(millis(now)).bind(owner).execute(connection).await?;
    Ok(())
}

async fn due(connection: &mut Connection, now: Timestamp, limit: u32) -> Result<Vec<i64>, Fault> {
    let latest = now.checked_add(MAX_WAIT).unwrap_or(Timestamp::MAX);
    let sql = "SELECT id FROM outbox_delivery WHERE due <= ? OR due > ? ORDER BY due, id LIMIT ?";
    let query = sql::query_scalar(sql).bind(millis(now)).bind(millis(latest)).bind(i64::from(limit));
    Ok(query.fetch_all(connection).await?)
}

async fn claim(
    connection: &mut Connection,
    sender: Guid,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedDelivery>, Fault> {
    let mut claimed = Vec::new();
    for id in due(connection, now, limit).await? {
        // An earlier delivery of this turn may have removed it with its notification.
        let Some(row) = sql::query("SELECT outbox, way, recipient, tries FROM outbox_delivery WHERE id = ?")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?
        else {
            continue;
        };
        let cells = Cells(&row);
        let Some(notification) = complete(connection, cells.get("outbox")?).await? else { continue };
        let tries = cells.number::<u32>("tries")?.saturating_add(1);
        let wait = wait_after(tries).unwrap_or(LAST_WAIT);
        sql::query("UPDATE outbox_delivery SET sender = ?, tries = ?, due = ? WHERE id = ?")
            .bind(sender)
            .bind(i64::from(tries))
            .bind(millis(now.checked_add(wait).unwrap_or(Timestamp::MAX)))
            .bind(id)
            .execute(&mut *connection)
            .await?;
        let (way, recipient) = (cells.word("way")?, cells.get("recipient")?);
        claimed.push(ClaimedDelivery { id, notification, way, recipient, tries });
    }
    Ok(claimed)
}

/// Returns a notification, and ends its gathering. One without a failure any more is removed.
async fn complete(connection: &mut Connection, guid: Guid) -> Result<Option<Notification>, Fault> {
    let ended = sql::query(
        "UPDATE outbox SET gathers_until = NULL WHERE guid = ? AND gathers_until IS NOT NULL RETURNING batch",
    )
    .bind(guid)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = ended {
        let figures = failures(connection, guid, Cells(&row).get("batch")?).await?;
        if figures.users.count == 0 {
            sql::query("DELETE FROM outbox WHERE guid = ?").bind(guid).execute(connection).await?;
            return Ok(None);
        }
        let body = serde_json::to_string(&figures.facts()).map_err(|it| Fault::Json("body", it))?;
        let query = sql::query("UPDATE outbox SET body = ? WHERE guid = ?").bind(body).bind(guid);
        query.execute(&mut *connection).await?;
    }
    let row = sql::query(
        "SELECT outbox.guid, outbox.event, outbox.body, outbox.created, batch.name FROM outbox \
         LEFT JOIN batch ON batch.guid = outbox.batch WHERE outbox.guid = ?",
    )
    .bind(guid)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(notification).transpose()
}

fn notification(row: &Row) -> Result<Notification, Fault> {
    let cells = Cells(row);
    Ok(Notification {
        id: cells.get("guid")?,
        event: cells.word("event")?,
        batch: cells.get("name")?,
        created: cells.time("created")?,
        facts: serde_json::from_str(cells.get("body")?).map_err(|_| Fault::Unreadable("body"))?,
    })
}

/// Returns the figures of the users whose failures were gathered and have not ended since.
async fn failures(connection: &mut Connection, outbox: Guid, batch: Guid) -> Result<FailureFigures, Fault> {
    let name: String = sql::query_scalar("SELECT name FROM batch WHERE guid = ?")
        .bind(batch)
        .fetch_one(&mut *connection)
        .await?;
    let rows = sql::query(
        "SELECT coalesce(migration_user.failure_class, 'Internal') AS class, count(*) AS users FROM failure_notice \
         JOIN migration_user ON migration_user.id = failure_notice.user_id WHERE failure_notice.outbox = ? \
         GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    .bind(outbox)
    .fetch_all(&mut *connection)
    .await?;
    let causes = rows.iter().map(|row| Ok((Cells(row).word("class")?, Cells(row).number("users")?)));
    let causes = causes.collect::<Result<Vec<(_, u64)>, Fault>>()?;
    let first: Vec<String> = sql::query_scalar(
        "SELECT migration_user.email_address FROM failure_notice JOIN migration_user \
         ON migration_user.id = failure_notice.user_id WHERE failure_notice.outbox = ? ORDER BY failure_notice.user_id LIMIT ?",
    )
    .bind(outbox)
    .bind(MAX_NAMED)
    .fetch_all(connection)
    .await?;
    let count = causes.iter().map(|(_, users)| users).sum();
    Ok(FailureFigures { batch: name, causes, users: NamedUsers { count, first } })
}
