//! Who did what.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// One thing that somebody did, or tried to do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationAuditLog {
    /// When.
    pub(crate) run_date: Timestamp,
    /// Who.
    pub(crate) caller: String,
    /// The operation.
    pub(crate) cmdlet_name: String,
    /// What it was done to.
    pub(crate) object_modified: String,
    /// What came of it.
    pub(crate) outcome: String,
}
