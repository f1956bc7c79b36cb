//! Views of notifications.

use jiff::Timestamp;
use mailhaul_migration::{DeliveryWay, Guid, NotificationEvent};
use mailhaul_store::DeliveryRow;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ops::endpoint::availability_view::TestResult;

/// State of the delivery to one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum DeliveryStatus {
    /// It is sent at NextTryTime.
    Waiting,
    /// The server of the receiver took it.
    Delivered,
    /// Eight tries failed.
    GivenUp,
}

/// Notification to one receiver.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationNotification {
    /// Id of the notification, by which receivers know repeats.
    identity: Guid,
    /// Event that is told.
    event: NotificationEvent,
    /// Name of the batch; null if it concerns no single batch.
    batch_id: Option<String>,
    /// Event in one sentence; empty while failures are gathered.
    summary: String,
    /// Time of the event.
    creation_time: Timestamp,
    /// Mail or webhook.
    way: DeliveryWay,
    /// Address of the mail, or host of the webhook.
    recipient: String,
    /// State of the delivery.
    status: DeliveryStatus,
    /// Number of tries so far.
    tries: u32,
    /// Time of the next try; null after the last one.
    next_try_time: Option<Timestamp>,
    /// Time of the delivery.
    delivered_time: Option<Timestamp>,
    /// Reason why the last try failed, in the words of the server.
    error: Option<String>,
}

impl From<DeliveryRow> for MigrationNotification {
    fn from(row: DeliveryRow) -> Self {
        let status = match (row.delivered, row.due) {
            (Some(_), _) => DeliveryStatus::Delivered,
            (None, Some(_)) => DeliveryStatus::Waiting,
            (None, None) => DeliveryStatus::GivenUp,
        };
        Self {
            identity: row.notification,
            event: row.event,
            batch_id: row.batch,
            summary: row.summary,
            creation_time: row.created,
            way: row.way,
            recipient: row.recipient,
            status,
            tries: row.tries,
            next_try_time: row.due,
            delivered_time: row.delivered,
            error: row.last_error,
        }
    }
}

/// Answer of one receiver to a test.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationNotificationTest {
    /// Mail or webhook.
    pub(crate) way: DeliveryWay,
    /// Address of the mail, or host of the webhook.
    pub(crate) recipient: String,
    /// Result of the test.
    pub(crate) result: TestResult,
    /// Answer of the server, or the reason of the failure.
    pub(crate) message: String,
}
