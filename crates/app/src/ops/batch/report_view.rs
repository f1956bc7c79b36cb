//! View of a report file.

use schemars::JsonSchema;
use serde::Serialize;

/// CSV file, or a part of one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationReport {
    /// Suggested name of the file.
    pub(crate) file_name: String,
    /// Text of the file. The parts of a long report must be appended to each other.
    pub(crate) content: String,
}
