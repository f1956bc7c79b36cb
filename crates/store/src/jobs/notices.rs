//! Notifications, written in the transaction of the event that they tell.
//!
//! Invariant: a crash forgets no event and tells none twice. Nothing is written if no server takes it.

use jiff::Timestamp;
use mailhaul_migration::{
    BatchFigures, BatchIntent, BatchSettings, BatchStatus, DeliveryWay, GATHER_TIME, Guid, MigrationUser,
    NotificationEvent, NotificationFacts, NotificationServers, StatusCounts, StatusSummary, UserEvent,
    UserStatus, status_event,
};

use crate::db::{
    columns::{Cells, millis},
    error::Fault,
    sql::{self, Connection},
};

/// Lock of the last users of a batch. Its number, to which that of the batch is added, is arbitrary.
const LOCK_STATUS: &str = "SELECT pg_advisory_xact_lock(7106500000000 + hashtext(?))";

/// Receiver of a notification: a way, with the address of the mail or the URL.
pub(crate) type Receiver = (DeliveryWay, String);

/// A batch with the receivers of its notifications.
pub(crate) struct ToldBatch {
    pub(crate) guid: Guid,
    pub(crate) name: String,
    pub(crate) intent: BatchIntent,
    pub(crate) started: Option<Timestamp>,
    pub(crate) settings: BatchSettings,
    pub(crate) receivers: Vec<Receiver>,
}

/// A notification before it is stored.
pub(crate) struct NewNotice {
    pub(crate) event: NotificationEvent,
    pub(crate) batch: Option<Guid>,
    /// Domain or endpoint; empty for the batch itself.
    pub(crate) subject: String,
    pub(crate) facts: NotificationFacts,
}

impl ToldBatch {
    /// Returns a batch; `None` if it is gone, or if its notifications have no receiver.
    pub(crate) async fn find(connection: &mut Connection, batch: Guid) -> Result<Option<Self>, Fault> {
        let servers = servers(connection).await?;
        if servers == NotificationServers::default() {
            return Ok(None);
        }
        let row = sql::query("SELECT name, intent, started, settings FROM batch WHERE guid = ?")
            .bind(batch)
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let cells = Cells(&row);
        let settings: BatchSettings =
            serde_json::from_str(cells.get("settings")?).map_err(|_| Fault::Unreadable("settings"))?;
        let receivers = receivers(&servers, &settings.notification_emails);
        if receivers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            guid: batch,
            name: cells.get("name")?,
            intent: cells.word("intent")?,
            started: cells.time_if("started")?,
            settings,
            receivers,
        }))
    }

    /// Returns the figures of the batch at this moment.
    pub(crate) async fn figures(
        &self,
        connection: &mut Connection,
        now: Timestamp,
    ) -> Result<BatchFigures, Fault> {
        let rows = sql::query(
            "SELECT status, count(*) AS users, CAST(coalesce(sum(total_items), 0) AS BIGINT) AS total_items, \
             CAST(coalesce(sum(synced_items), 0) AS BIGINT) AS synced_items, \
             CAST(coalesce(sum(skipped_items), 0) AS BIGINT) AS skipped_items \
             FROM migration_user WHERE batch = ? GROUP BY status",
        )
        .bind(self.guid)
        .fetch_all(connection)
        .await?;
        let mut counts = StatusCounts::default();
        let (mut total_items, mut synced_items, mut skipped_items) = (0, 0, 0);
        for row in &rows {
            let cells = Cells(row);
            counts.add(cells.word("status")?, cells.number("users")?);
            total_items += cells.number::<u64>("total_items")?;
            synced_items += cells.number::<u64>("synced_items")?;
            skipped_items += cells.number::<u64>("skipped_items")?;
        }
        let is_waiting = self.settings.start_after.is_some_and(|start| start > now);
        let status = BatchStatus::of(self.intent, is_waiting, &counts);
        let batch = self.name.clone();
        Ok(BatchFigures { batch, status, counts, total_items, synced_items, skipped_items })
    }

    /// Tells that the batch is synced or completed, the first time that it is.
    pub(crate) async fn tell_status(&self, connection: &mut Connection, now: Timestamp) -> Result<(), Fault> {
        if connection.is_shared() {
            // Two users that end at the same time would each see the other one at work.
            sql::query(LOCK_STATUS).bind(self.guid.to_string()).execute(&mut *connection).await?;
        }
        // The users of a large batch are counted at its end only.
        if is_running(connection, self.guid).await? {
            return Ok(());
        }
        let figures = self.figures(connection, now).await?;
        let Some(event) = status_event(figures.status) else { return Ok(()) };
        let notice =
            NewNotice { event, batch: Some(self.guid), subject: String::new(), facts: figures.facts(event) };
        insert(connection, notice, &self.receivers, now).await
    }
}

/// Tells the consequences of a pass that ended with this event, in its transaction.
pub(crate) async fn after_pass(
    connection: &mut Connection,
    user: &MigrationUser,
    event: UserEvent,
    now: Timestamp,
) -> Result<(), Fault> {
    if matches!(event, UserEvent::Synced | UserEvent::SyncedWithSkippedItems) {
        sql::query(
            "DELETE FROM failure_notice WHERE user_id = (SELECT id FROM migration_user WHERE guid = ?)",
        )
        .bind(user.guid)
        .execute(&mut *connection)
        .await?;
    }
    // A user that is to be tried again ends nothing.
    if matches!(user.status, UserStatus::Queued | UserStatus::Completing) {
        return Ok(());
    }
    let Some(batch) = ToldBatch::find(connection, user.batch).await? else { return Ok(()) };
    if event == UserEvent::Failed && user.status.summary() == StatusSummary::Failed {
        gather_failure(connection, user.guid, &batch, now).await?;
    }
    if may_be_new(connection, user).await? {
        batch.tell_status(connection, now).await?;
    }
    Ok(())
}

/// True if the end of this user's pass can be that of its batch. Costs searches of indexes only.
async fn may_be_new(connection: &mut Connection, user: &MigrationUser) -> Result<bool, Fault> {
    let told: Vec<String> = sql::query_scalar(
        "SELECT event FROM outbox WHERE batch = ? AND event IN ('BatchSynced', 'BatchCompleted')",
    )
    .bind(user.batch)
    .fetch_all(&mut *connection)
    .await?;
    let is_told = |event: NotificationEvent| told.iter().any(|told| *told == event.to_string());
    let is_final = matches!(
        user.status,
        UserStatus::Completed | UserStatus::CompletedWithWarnings | UserStatus::CompletionFailed
    );
    if is_told(NotificationEvent::BatchCompleted) || is_told(NotificationEvent::BatchSynced) && !is_final {
        return Ok(false);
    }
    Ok(!waits(connection, user.batch, is_final).await?)
}

/// True if a user of the batch waits for its first pass, or for its final one.
async fn waits(connection: &mut Connection, batch: Guid, is_final: bool) -> Result<bool, Fault> {
    let passes = if is_final { "'First', 'Final'" } else { "'First'" };
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM migration_user WHERE batch = ? AND pass IN ({passes}) AND due IS NOT NULL)"
    );
    Ok(sql::query_scalar(sql).bind(batch).fetch_one(connection).await?)
}

/// True if the first or the final pass of a user of the batch is running.
async fn is_running(connection: &mut Connection, batch: Guid) -> Result<bool, Fault> {
    // Without the batch in the condition, the index of leases is searched: far fewer rows than the batch has.
    let running: Vec<Guid> = sql::query_scalar(
        "SELECT DISTINCT batch FROM migration_user WHERE lease_until IS NOT NULL \
         AND status IN ('Validating', 'Syncing', 'Completing')",
    )
    .fetch_all(connection)
    .await?;
    Ok(running.contains(&batch))
}

/// Adds a failed user to the notification that gathers failures. A user is told once, until a pass succeeds.
async fn gather_failure(
    connection: &mut Connection,
    user: Guid,
    batch: &ToldBatch,
    now: Timestamp,
) -> Result<(), Fault> {
    let known: bool = sql::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM failure_notice JOIN migration_user ON migration_user.id = failure_notice.user_id \
         WHERE migration_user.guid = ?)",
    )
    .bind(user)
    .fetch_one(&mut *connection)
    .await?;
    if known {
        return Ok(());
    }
    let fresh = Guid::new_v4();
    let until = now.checked_add(GATHER_TIME).unwrap_or(Timestamp::MAX);
    // The update locks the row: it cannot be sent before this transaction ends.
    let outbox: Guid = sql::query_scalar(
        "INSERT INTO outbox (guid, event, batch, subject, body, created, gathers_until) VALUES (?, ?, ?, '', '{}', ?, ?) \
         ON CONFLICT (batch, event) WHERE gathers_until IS NOT NULL DO UPDATE SET subject = excluded.subject \
         RETURNING guid",
    )
    .bind(fresh)
    .bind(NotificationEvent::UsersFailed.to_string())
    .bind(batch.guid)
    .bind(millis(now))
    .bind(millis(until))
    .fetch_one(&mut *connection)
    .await?;
    if outbox == fresh {
        add_deliveries(connection, outbox, &batch.receivers, until).await?;
    }
    sql::query(
        "INSERT INTO failure_notice (user_id, outbox) SELECT migration_user.id, ? FROM migration_user WHERE guid = ?",
    )
    .bind(outbox)
    .bind(user)
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores a notification with its deliveries. A batch is told as synced once, and as completed once.
pub(crate) async fn insert(
    connection: &mut Connection,
    notice: NewNotice,
    receivers: &[Receiver],
    now: Timestamp,
) -> Result<(), Fault> {
    let once = match notice.event {
        NotificationEvent::BatchSynced | NotificationEvent::BatchCompleted => {
            " ON CONFLICT (batch, event) WHERE event IN ('BatchSynced', 'BatchCompleted') DO NOTHING"
        }
        _ => "",
    };
    let (guid, body) =
        (Guid::new_v4(), serde_json::to_string(&notice.facts).map_err(|it| Fault::Json("body", it))?);
    let sql = format!(
        "INSERT INTO outbox (guid, event, batch, subject, body, created) VALUES (?, ?, ?, ?, ?, ?){once}"
    );
    let inserted = sql::query(sql)
        .bind(guid)
        .bind(notice.event.to_string())
        .bind(notice.batch)
        .bind(notice.subject)
        .bind(body)
        .bind(millis(now))
        .execute(&mut *connection)
        .await?;
    if inserted == 0 { Ok(()) } else { add_deliveries(connection, guid, receivers, now).await }
}

async fn add_deliveries(
    connection: &mut Connection,
    outbox: Guid,
    receivers: &[Receiver],
    due: Timestamp,
) -> Result<(), Fault> {
    for (way, recipient) in receivers {
        sql::query("INSERT INTO outbox_delivery (outbox, way, recipient, due) VALUES (?, ?, ?, ?)")
            .bind(outbox)
            .bind(way.to_string())
            .bind(recipient.clone())
            .bind(millis(due))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Returns the servers that take notifications.
pub(crate) async fn servers(connection: &mut Connection) -> Result<NotificationServers, Fault> {
    let text: Option<Option<String>> =
        sql::query_scalar("SELECT notifications FROM config").fetch_optional(connection).await?;
    match text.flatten() {
        Some(text) => serde_json::from_str(&text).map_err(|_| Fault::Unreadable("notifications")),
        None => Ok(NotificationServers::default()),
    }
}

/// Returns the receivers: the addresses if there is an SMTP server, and the webhook.
pub(crate) fn receivers(servers: &NotificationServers, emails: &[String]) -> Vec<Receiver> {
    let emails = if servers.smtp.is_some() { emails } else { &[] };
    let mails = emails.iter().map(|address| (DeliveryWay::Mail, address.clone()));
    mails.chain(servers.webhook.clone().map(|url| (DeliveryWay::Webhook, url))).collect()
}
