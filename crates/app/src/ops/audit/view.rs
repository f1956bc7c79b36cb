//! View of an audit log entry.

use jiff::Timestamp;
use mailhaul_store::AuditEntry;
use schemars::JsonSchema;
use serde::Serialize;

/// Audit log entry: a change, or an attempt.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationAuditLog {
    /// Time of the change.
    pub(crate) run_date: Timestamp,
    /// Name of the caller.
    pub(crate) caller: String,
    /// Operation.
    pub(crate) cmdlet_name: String,
    /// Object that was changed.
    pub(crate) object_modified: String,
    /// Result of the operation.
    pub(crate) outcome: String,
}

impl MigrationAuditLog {
    pub(crate) fn of(entry: AuditEntry) -> Self {
        Self {
            run_date: entry.time,
            caller: entry.who,
            cmdlet_name: entry.operation,
            object_modified: entry.identity,
            outcome: entry.outcome,
        }
    }
}
