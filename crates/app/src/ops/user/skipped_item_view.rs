//! View of a skipped message and its user.

use jiff::Timestamp;
use mailhaul_store::SkippedMessage;
use schemars::JsonSchema;
use serde::Serialize;

/// Message that the last pass skipped.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationSkippedItem {
    /// E-mail address of the user.
    pub(crate) identity: String,
    /// Kind of reason.
    kind: String,
    /// Folder of the message on the source.
    folder_name: String,
    /// UID of the message on the source.
    #[serde(rename = "UID")]
    uid: u32,
    /// Subject.
    subject: Option<String>,
    /// Address of the author.
    sender: Option<String>,
    /// Date that the author's program wrote.
    date_sent: Option<Timestamp>,
    /// Time of arrival.
    date_received: Option<Timestamp>,
    /// Size in bytes, as the source states it.
    message_size: u64,
    /// Reason for skipping it, with the server's words.
    reason: String,
    /// Path of the saved file, if it was exported.
    pub(crate) file_name: Option<String>,
    /// Reason why it could not be saved.
    pub(crate) export_error: Option<String>,
}

impl MigrationSkippedItem {
    pub(crate) fn of(identity: String, message: SkippedMessage) -> Self {
        Self {
            identity,
            kind: message.kind,
            folder_name: message.folder,
            uid: message.uid,
            subject: message.subject,
            sender: message.sender,
            date_sent: message.sent,
            date_received: message.date,
            message_size: message.size,
            reason: message.reason,
            file_name: None,
            export_error: None,
        }
    }
}
