//! Results of a server test: its steps in order, and the facts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mailhaul_operations::Steps;
use schemars::JsonSchema;
use serde::Serialize;

/// Result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum StepResult {
    /// Succeeded.
    Success,
    /// Succeeded, with something to know.
    Warning,
    /// The server refuses this form of login; another one may work.
    Refused,
    /// Failed. The test ends here, or continues with steps that do not depend on it.
    Failed,
    /// Not tried, for the reason given.
    Skipped,
    /// The caller must act before the next step.
    Waiting,
}

/// Step of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Step {
    /// Name of the step.
    #[serde(rename = "Step")]
    pub(crate) name: String,
    /// Result of the step.
    pub(crate) result: StepResult,
    /// Facts, or the reason of the failure.
    pub(crate) detail: String,
}

/// Certificate of the server's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChainCertificate {
    /// Subject of the certificate.
    pub(crate) subject: Option<String>,
    /// Issuer of the certificate.
    pub(crate) issuer: Option<String>,
    /// Hosts and addresses that it is valid for.
    pub(crate) names: Vec<String>,
    /// Start of validity.
    pub(crate) valid_from: Option<Timestamp>,
    /// End of validity.
    pub(crate) valid_to: Option<Timestamp>,
    /// Whole days until it expires; negative after that.
    pub(crate) days_left: Option<i64>,
    /// SHA-256, in the form of `CertificateSha256`.
    pub(crate) sha256: String,
    /// True if it names itself as its issuer.
    pub(crate) is_self_signed: bool,
}

/// Usage of a quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsedQuota {
    /// Quota root.
    pub(crate) root: String,
    /// `STORAGE` in units of 1024 bytes, `MESSAGE` in messages, or another word of the server.
    pub(crate) resource: String,
    /// Used amount.
    pub(crate) usage: u64,
    /// Maximum amount.
    pub(crate) limit: u64,
}

/// Reading speed of a folder.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReadRate {
    /// Folder that was read.
    pub(crate) folder: String,
    /// Number of messages read.
    pub(crate) messages: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
    /// Duration in milliseconds.
    pub(crate) milliseconds: u64,
    /// Messages per second.
    pub(crate) messages_per_second: u64,
    /// Bytes per second.
    pub(crate) bytes_per_second: u64,
}

/// Number of connections that one login may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConnectionLimit {
    /// Connections that were open at once.
    pub(crate) accepted: u32,
    /// Maximum number of connections that were tried.
    pub(crate) tried: u32,
    /// The server's words at the first refusal; null if none was refused.
    pub(crate) refusal: Option<String>,
}

/// Facts of a server test. A step that was not reached leaves its facts empty.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Findings {
    /// Addresses of the host in DNS.
    pub(crate) addresses: Vec<String>,
    /// Greeting of the server.
    pub(crate) greeting: Option<String>,
    /// Capabilities of the server, after sign-in if the test signs in.
    pub(crate) capabilities: Vec<String>,
    /// Account that signed in, if any.
    pub(crate) logged_in_as: Option<String>,
    /// Number of folders in that mailbox.
    pub(crate) folder_count: Option<u64>,
    /// Steps of the test.
    pub(crate) steps: Vec<Step>,
    /// TLS version.
    pub(crate) tls_version: Option<String>,
    /// TLS cipher suite.
    pub(crate) tls_cipher: Option<String>,
    /// Certificates of the server, its own first.
    pub(crate) certificates: Vec<ChainCertificate>,
    /// True if the server's own certificate is valid for this host.
    pub(crate) certificate_names_host: Option<bool>,
    /// Capabilities before sign-in.
    pub(crate) capabilities_before_login: Vec<String>,
    /// SASL mechanisms that the server offers.
    pub(crate) authentication_mechanisms: Vec<String>,
    /// Mechanism or command of the sign-in.
    pub(crate) signed_in_by: Option<String>,
    /// Description that the server gives of itself (ID).
    pub(crate) server_id: BTreeMap<String, String>,
    /// Detected server profile.
    pub(crate) server_profile: Option<String>,
    /// Differences that follow from the profile, and facts for the administrator.
    pub(crate) server_profile_differences: Vec<String>,
    /// Namespaces, for example `Personal "INBOX.", separator .`.
    pub(crate) namespaces: Vec<String>,
    /// Number of messages in the user's own folders.
    pub(crate) message_count: Option<u64>,
    /// Quotas of INBOX.
    pub(crate) quotas: Vec<UsedQuota>,
    /// Median of several round trips in milliseconds.
    pub(crate) round_trip_milliseconds: Option<f64>,
    /// Reading speed.
    pub(crate) read_rate: Option<ReadRate>,
    /// Number of connections that the login may have, if tested.
    pub(crate) connections: Option<ConnectionLimit>,
    /// Number of sign-in attempts.
    pub(crate) sign_in_attempts: u32,
    /// Form of the administrator's login that opens the mailbox.
    pub(crate) admin_form: Option<String>,
    /// Folder that is the mailbox, if the administrator sees it among other users' folders.
    pub(crate) user_root: Option<String>,
    /// CSV lines and commands for a migration with the same login.
    pub(crate) instructions: Vec<String>,
    /// Receives each step when it ends.
    #[serde(skip)]
    pub(crate) watcher: Steps,
}

impl Findings {
    pub(crate) fn step(&mut self, step: impl Into<String>, result: StepResult, detail: impl Into<String>) {
        let step = Step { name: step.into(), result, detail: detail.into() };
        self.watcher.report(&step);
        self.steps.push(step);
    }

    /// True if the step has ended.
    pub(crate) fn has(&self, step: &str) -> bool {
        self.steps.iter().any(|known| known.name == step)
    }

    pub(crate) fn success(&mut self, step: impl Into<String>, detail: impl Into<String>) {
        self.step(step, StepResult::Success, detail);
    }

    pub(crate) fn warning(&mut self, step: impl Into<String>, detail: impl Into<String>) {
        self.step(step, StepResult::Warning, detail);
    }

    pub(crate) fn failed(&mut self, step: impl Into<String>, detail: impl Into<String>) {
        self.step(step, StepResult::Failed, detail);
    }
}
