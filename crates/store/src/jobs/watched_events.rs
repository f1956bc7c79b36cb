//! Events that a watch finds: told out of what was told before, in one transaction.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{
    BatchIntent, BatchSettings, Guid, NotificationEvent, NotificationFacts, ToldBefore, is_report_due,
    status_event,
};

use crate::{
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Outbox,
    jobs::notices::{self, NewNotice, ToldBatch},
};

/// Age at which reports, and notifications without a batch, are removed.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Outbox<'_> {
    /// Returns the times at which a batch, or a subject of it, was told last.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn told(self, batch: Guid, subject: &str) -> Result<ToldBefore, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let subject = subject.to_owned();
            Box::pin(async move { told(connection, Some(batch), &subject).await })
        })
        .await
    }

    /// Returns true if notifications of the batch have a receiver.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn has_receiver(self, batch: Guid) -> Result<bool, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(async move { Ok(ToldBatch::find(connection, batch).await?.is_some()) }))
            .await
    }

    /// Tells what `decide` returns, out of what was told before about the subject.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tell(
        self,
        batch: Guid,
        subject: String,
        now: Timestamp,
        decide: impl FnOnce(&ToldBefore) -> Option<(NotificationEvent, NotificationFacts)> + Send + 'static,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let Some(found) = ToldBatch::find(connection, batch).await? else { return Ok(()) };
                let before = told(connection, Some(batch), &subject).await?;
                let Some((event, facts)) = decide(&before) else { return Ok(()) };
                let notice = NewNotice { event, batch: Some(batch), subject, facts };
                notices::insert(connection, notice, &found.receivers, now).await
            })
        })
        .await
    }

    /// Tells the same about an endpoint, to the receivers of all running batches that use it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tell_of_endpoint(
        self,
        endpoint: Guid,
        now: Timestamp,
        decide: impl FnOnce(&ToldBefore) -> Option<(NotificationEvent, NotificationFacts)> + Send + 'static,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let servers = notices::servers(connection).await?;
                let receivers = notices::receivers(&servers, &emails_of(connection, endpoint).await?);
                let subject = endpoint.to_string();
                let before = told(connection, None, &subject).await?;
                if receivers.is_empty() {
                    return Ok(());
                }
                let Some((event, facts)) = decide(&before) else { return Ok(()) };
                let notice = NewNotice { event, batch: None, subject, facts };
                notices::insert(connection, notice, &receivers, now).await
            })
        })
        .await
    }

    /// Tells the report of a running batch that is due, and a status that no pass could tell.
    ///
    /// The last user may have been removed or stopped.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tell_progress(self, batch: Guid, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        let is_due = db.read(|connection| {
            Box::pin(async move {
                let Some(found) = ToldBatch::find(connection, batch).await? else { return Ok(false) };
                Ok(progress(connection, &found, now).await?.is_some())
            })
        });
        if !is_due.await? {
            return Ok(());
        }
        db.change(move |connection| {
            Box::pin(async move {
                let Some(found) = ToldBatch::find(connection, batch).await? else { return Ok(()) };
                found.tell_status(connection, now).await?;
                let Some(notice) = progress(connection, &found, now).await? else { return Ok(()) };
                notices::insert(connection, notice, &found.receivers, now).await
            })
        })
        .await
    }

    /// Removes old reports, and old notifications without a batch.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn forget(self, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        let before = millis(now.checked_sub(KEPT).unwrap_or(Timestamp::MIN));
        db.change(move |connection| {
            Box::pin(async move {
                let sql = "DELETE FROM outbox WHERE created < ? AND (batch IS NULL OR event = ?)";
                let query = sql::query(sql).bind(before).bind(NotificationEvent::Report.to_string());
                query.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Returns the notification of a status or report that is due.
async fn progress(
    connection: &mut Connection,
    batch: &ToldBatch,
    now: Timestamp,
) -> Result<Option<NewNotice>, Fault> {
    if batch.intent != BatchIntent::Run {
        return Ok(None);
    }
    let before = told(connection, Some(batch.guid), "").await?;
    let is_due = is_report_due(&batch.settings, batch.intent, batch.started, &before, now);
    // After the last event the users need not be counted.
    if !is_due && before.last(NotificationEvent::BatchCompleted).is_some() {
        return Ok(None);
    }
    let figures = batch.figures(connection, now).await?;
    let reached = status_event(figures.status).filter(|event| before.last(*event).is_none());
    let event = reached.or(if is_due { Some(NotificationEvent::Report) } else { None });
    Ok(event.map(|event| NewNotice {
        event,
        batch: Some(batch.guid),
        subject: String::new(),
        facts: figures.facts(event),
    }))
}

async fn told(connection: &mut Connection, batch: Option<Guid>, subject: &str) -> Result<ToldBefore, Fault> {
    let of_batch = if batch.is_some() { "batch = ?1" } else { "batch IS NULL" };
    let sql = format!(
        "SELECT event, max(created) AS created FROM outbox WHERE {of_batch} AND subject = ?2 GROUP BY event"
    );
    let rows = sql::query(sql).bind(batch).bind(subject.to_owned()).fetch_all(connection).await?;
    let told = rows.iter().map(|row| Ok((Cells(row).word("event")?, Cells(row).time("created")?)));
    Ok(ToldBefore(told.collect::<Result<_, Fault>>()?))
}

/// Returns the addresses of all running batches of an endpoint, each once.
async fn emails_of(connection: &mut Connection, endpoint: Guid) -> Result<Vec<String>, Fault> {
    let rows: Vec<String> = sql::query_scalar(
        "SELECT settings FROM batch WHERE intent = 'Run' AND (source_endpoint = ?1 OR target_endpoint = ?1)",
    )
    .bind(endpoint)
    .fetch_all(connection)
    .await?;
    let mut emails = BTreeSet::new();
    for text in rows {
        let settings: BatchSettings =
            serde_json::from_str(&text).map_err(|_| Fault::Unreadable("settings"))?;
        emails.extend(settings.notification_emails);
    }
    Ok(emails.into_iter().collect())
}
