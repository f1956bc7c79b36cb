//! The list of notifications: one row for each delivery.

use jiff::Timestamp;
use mailhaul_migration::{DeliveryWay, Guid, NotificationEvent, NotificationFacts};

use crate::{
    db::{
        columns::Cells,
        error::{Fault, StoreError},
        pages::{Bookmark, Page, rows},
        sql::{Builder, Row},
    },
    handles::Outbox,
};

/// A delivery of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Id of the notification.
    pub notification: Guid,
    pub event: NotificationEvent,
    /// Name of the batch; `None` if it concerns no single batch.
    pub batch: Option<String>,
    /// The event in a sentence; empty while failures are gathered.
    pub summary: String,
    pub created: Timestamp,
    pub way: DeliveryWay,
    pub recipient: String,
    pub tries: u32,
    /// Time of the next try; `None` after the last one.
    pub due: Option<Timestamp>,
    pub delivered: Option<Timestamp>,
    /// Reason of the last failure, in the words of the server.
    pub last_error: Option<String>,
}

impl Outbox<'_> {
    /// Returns a page of the deliveries, newest first. `is_pending` leaves delivered ones out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn list(
        self,
        batch: Option<Guid>,
        is_pending: bool,
        after: Option<Bookmark>,
        limit: u32,
    ) -> Result<Page<DeliveryRow>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let mut query = Builder::new(
                    "SELECT outbox_delivery.id, outbox.guid, outbox.event, outbox.body, outbox.created, batch.name, \
                     outbox_delivery.way, outbox_delivery.recipient, outbox_delivery.tries, outbox_delivery.due, \
                     outbox_delivery.delivered, outbox_delivery.last_error FROM outbox_delivery \
                     JOIN outbox ON outbox.guid = outbox_delivery.outbox LEFT JOIN batch ON batch.guid = outbox.batch \
                     WHERE outbox_delivery.id < ",
                );
                query.push_bind(after.map_or(i64::MAX, |place| place.0));
                if let Some(batch) = batch {
                    query.push(" AND outbox.batch = ").push_bind(batch);
                }
                if is_pending {
                    query.push(" AND outbox_delivery.delivered IS NULL");
                }
                query.push(" ORDER BY outbox_delivery.id DESC LIMIT ").push_bind(rows(limit));
                let found = query.build().fetch_all(connection).await?;
                let items = found.iter().map(|row| Ok((Cells(row).get("id")?, delivery(row)?)));
                Ok(Page::from_rows(items.collect::<Result<_, Fault>>()?, limit))
            })
        })
        .await
    }
}

fn delivery(row: &Row) -> Result<DeliveryRow, Fault> {
    let cells = Cells(row);
    let body: &str = cells.get("body")?;
    let facts = if body == "{}" {
        NotificationFacts::default()
    } else {
        serde_json::from_str(body).map_err(|_| Fault::Unreadable("body"))?
    };
    Ok(DeliveryRow {
        notification: cells.get("guid")?,
        event: cells.word("event")?,
        batch: cells.get("name")?,
        summary: facts.summary,
        created: cells.time("created")?,
        way: cells.word("way")?,
        recipient: cells.get("recipient")?,
        tries: cells.number("tries")?,
        due: cells.time_if("due")?,
        delivered: cells.time_if("delivered")?,
        last_error: cells.get("last_error")?,
    })
}
