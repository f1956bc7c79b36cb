//! Report in views of batches and users.

use jiff::Timestamp;
use mailhaul_store::ReportEntry;
use schemars::JsonSchema;
use serde::Serialize;

/// Line of a report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReportLine {
    /// Time of the event.
    pub(crate) creation_time: Timestamp,
    /// Text of the event.
    pub(crate) message: String,
}

/// Report, in the form of Exchange.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Report {
    /// Events, oldest first.
    pub(crate) entries: Vec<ReportLine>,
    /// Failures that still count: of the last pass, or of the users of a batch.
    pub(crate) failures: Vec<ReportLine>,
}

impl From<ReportEntry> for ReportLine {
    fn from(entry: ReportEntry) -> Self {
        Self { creation_time: entry.time, message: entry.text }
    }
}
