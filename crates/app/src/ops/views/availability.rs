//! Whether a server can be reached, and what it can do.

use mailhaul_migration::EndpointSecurity;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Findings;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum TestResult {
    /// Everything that was asked for went well.
    Success,
    /// Something did not.
    Failed,
}

/// What a test of a server found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationServerAvailability {
    /// How it ended.
    pub(crate) result: TestResult,
    /// What happened, in one sentence.
    pub(crate) message: String,
    /// Why it failed, with the server's words, and what can be done about it.
    pub(crate) error_detail: Option<String>,
    /// The endpoint that was tested, where it was one.
    pub(crate) tested_endpoint: Option<String>,
    /// The host.
    pub(crate) remote_server: String,
    /// The TCP port.
    pub(crate) port: u16,
    /// How the connection was to be secured.
    pub(crate) security: EndpointSecurity,
    /// What was found, step by step.
    #[serde(flatten)]
    pub(crate) findings: Findings,
    /// Whether the result is `Success`.
    pub(crate) is_valid: bool,
    /// Always false: mailboxes are moved batch by batch.
    pub(crate) supports_cutover: bool,
}
