//! View of a line of a user's report.

use jiff::Timestamp;
use mailhaul_store::ReportEntry;
use schemars::JsonSchema;
use serde::Serialize;

/// Line of a user's report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationUserReport {
    /// E-mail address of the user.
    identity: String,
    /// Number of the line. Later lines have greater numbers.
    number: u64,
    /// Time of the line.
    creation_time: Timestamp,
    /// Text of the line.
    message: String,
}

impl MigrationUserReport {
    pub(crate) fn of(address: &str, number: u64, entry: ReportEntry) -> Self {
        let ReportEntry { time: creation_time, text: message } = entry;
        Self { identity: address.to_owned(), number, creation_time, message }
    }
}
