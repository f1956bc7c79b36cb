//! A skipped message, beside whose it is.

use jiff::Timestamp;
use mailhaul_store::SkippedMessage;
use schemars::JsonSchema;
use serde::Serialize;

/// A message that the last pass skipped.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationSkippedItem {
    /// The user's e-mail address.
    pub(crate) identity: String,
    /// The sort of reason.
    kind: String,
    /// The message's folder on the source.
    folder_name: String,
    /// Its UID there.
    #[serde(rename = "UID")]
    uid: u32,
    /// Its subject.
    subject: Option<String>,
    /// When it arrived.
    date_received: Option<Timestamp>,
    /// Octets, as the source claims.
    message_size: u64,
    /// Why it was skipped, with the server's words.
    reason: String,
    /// Where it was saved, if that was asked for.
    pub(crate) file_name: Option<String>,
    /// Why it could not be saved.
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
            date_received: message.date,
            message_size: message.size,
            reason: message.reason,
            file_name: None,
            export_error: None,
        }
    }
}
