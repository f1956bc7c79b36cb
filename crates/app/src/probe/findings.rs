//! What a test found: the steps in their order, and the facts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum StepResult {
    /// It went well.
    Success,
    /// It went well, and there is something to know.
    Warning,
    /// The server does not take this form of login; another one may do.
    Refused,
    /// It did not go well: the test ends here, or with what does not depend on it.
    Failed,
    /// It was not tried, for the reason given.
    Skipped,
}

/// One step of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Step {
    /// What was tried.
    #[serde(rename = "Step")]
    pub(crate) name: String,
    /// How it ended.
    pub(crate) result: StepResult,
    /// What was found, or why it failed.
    pub(crate) detail: String,
}

/// A certificate of the server's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChainCertificate {
    /// For whom it was made.
    pub(crate) subject: Option<String>,
    /// Who made it.
    pub(crate) issuer: Option<String>,
    /// Hosts and addresses that it is for.
    pub(crate) names: Vec<String>,
    /// From when on it is valid.
    pub(crate) valid_from: Option<Timestamp>,
    /// Until when.
    pub(crate) valid_to: Option<Timestamp>,
    /// Whole days until then; negative when it has expired.
    pub(crate) days_left: Option<i64>,
    /// SHA-256, as `CertificateSha256` takes it.
    pub(crate) sha256: String,
    /// Whether it names itself as its issuer.
    pub(crate) is_self_signed: bool,
}

/// What is used of a quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsedQuota {
    /// The quota root.
    pub(crate) root: String,
    /// `STORAGE` in units of 1024 octets, `MESSAGE` in messages, or another word of the server.
    pub(crate) resource: String,
    /// What is used.
    pub(crate) usage: u64,
    /// What may be used.
    pub(crate) limit: u64,
}

/// How fast a folder was read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReadRate {
    /// The folder.
    pub(crate) folder: String,
    /// Messages that were read.
    pub(crate) messages: u64,
    /// Their octets.
    pub(crate) bytes: u64,
    /// In how many milliseconds.
    pub(crate) milliseconds: u64,
    /// Messages in a second.
    pub(crate) messages_per_second: u64,
    /// Octets in a second.
    pub(crate) bytes_per_second: u64,
}

/// How many connections one login may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConnectionLimit {
    /// Connections that were open at once.
    pub(crate) accepted: u32,
    /// How many were tried at most.
    pub(crate) tried: u32,
    /// The server's words at the one that it refused; none where it took all.
    pub(crate) refusal: Option<String>,
}

/// All that was found. What was not reached is empty.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Findings {
    /// The addresses that the name service knows.
    pub(crate) addresses: Vec<String>,
    /// What the server says first.
    pub(crate) greeting: Option<String>,
    /// What the server can do: after login, where somebody logged in.
    pub(crate) capabilities: Vec<String>,
    /// Who logged in, where that was asked for and went well.
    pub(crate) logged_in_as: Option<String>,
    /// How many folders that mailbox has.
    pub(crate) folder_count: Option<u64>,
    /// The steps of the test.
    pub(crate) steps: Vec<Step>,
    /// The version of TLS.
    pub(crate) tls_version: Option<String>,
    /// The cipher suite.
    pub(crate) tls_cipher: Option<String>,
    /// The certificates that the server shows, its own first.
    pub(crate) certificates: Vec<ChainCertificate>,
    /// Whether the server's own certificate is for this host.
    pub(crate) certificate_names_host: Option<bool>,
    /// What the server can do before login.
    pub(crate) capabilities_before_login: Vec<String>,
    /// The SASL mechanisms that it offers.
    pub(crate) authentication_mechanisms: Vec<String>,
    /// By which of them, or by which command, somebody logged in.
    pub(crate) signed_in_by: Option<String>,
    /// What the server says of itself (ID).
    pub(crate) server_id: BTreeMap<String, String>,
    /// What kind of server it is taken for.
    pub(crate) server_profile: Option<String>,
    /// What is done otherwise because of it, and what an administrator should know.
    pub(crate) server_profile_differences: Vec<String>,
    /// Where mailboxes are: `Personal "INBOX.", separator .`.
    pub(crate) namespaces: Vec<String>,
    /// How many messages are in the user's own folders.
    pub(crate) message_count: Option<u64>,
    /// The quotas that INBOX counts for.
    pub(crate) quotas: Vec<UsedQuota>,
    /// Milliseconds from a command to its answer: the median of several.
    pub(crate) round_trip_milliseconds: Option<f64>,
    /// How fast messages were read.
    pub(crate) read_rate: Option<ReadRate>,
    /// How many connections the login may have, where that was asked for.
    pub(crate) connections: Option<ConnectionLimit>,
    /// How many times a login was tried.
    pub(crate) sign_in_attempts: u32,
    /// The form by which the administrator opens the mailbox.
    pub(crate) admin_form: Option<String>,
    /// The folder that is the mailbox, where the administrator sees it among others' folders.
    pub(crate) user_root: Option<String>,
    /// What to write so that a migration logs in likewise: lines of the CSV file, and commands.
    pub(crate) instructions: Vec<String>,
}

impl Findings {
    pub(crate) fn step(&mut self, step: impl Into<String>, result: StepResult, detail: impl Into<String>) {
        self.steps.push(Step { name: step.into(), result, detail: detail.into() });
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
