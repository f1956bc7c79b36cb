//! View of a server test.

use mailhaul_migration::EndpointSecurity;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Findings;

/// Result of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum TestResult {
    /// All requested steps succeeded.
    Success,
    /// A step failed.
    Failed,
}

/// Results of a server test.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationServerAvailability {
    /// Result of the test.
    pub(crate) result: TestResult,
    /// Result in one sentence.
    pub(crate) message: String,
    /// Cause of the failure with the server's words, and advice.
    pub(crate) error_detail: Option<String>,
    /// Tested endpoint, if any.
    pub(crate) tested_endpoint: Option<String>,
    /// Host.
    pub(crate) remote_server: String,
    /// TCP port.
    pub(crate) port: u16,
    /// Encryption of the connection.
    pub(crate) security: EndpointSecurity,
    /// Results of each step.
    #[serde(flatten)]
    pub(crate) findings: Findings,
    /// True if the result is `Success`.
    pub(crate) is_valid: bool,
    /// Always false: mailboxes are moved in batches.
    pub(crate) supports_cutover: bool,
}
