//! A report as a file.

use schemars::JsonSchema;
use serde::Serialize;

/// A CSV file, or a part of one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationReport {
    /// How the file is to be called.
    pub(crate) file_name: String,
    /// Its text. A long report comes in several parts, which are to be appended to each other.
    pub(crate) content: String,
}
