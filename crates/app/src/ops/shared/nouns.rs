//! Operation groups.

use mailhaul_operations::Noun;

pub(crate) const SERVER_AVAILABILITY: Noun = Noun {
    cmdlet: "MigrationServerAvailability",
    word: "server",
    path: "server-availability",
    about: "Tests of mail servers",
};

pub(crate) const ENDPOINT: Noun = Noun {
    cmdlet: "MigrationEndpoint",
    word: "endpoint",
    path: "endpoints",
    about: "Servers that mail comes from and goes to",
};

pub(crate) const ENDPOINT_SIGN_IN: Noun = Noun {
    cmdlet: "MigrationEndpointSignIn",
    word: "endpoint-sign-in",
    path: "endpoint-sign-ins",
    about: "Sign-ins of users for endpoints with access tokens",
};

pub(crate) const BATCH: Noun =
    Noun { cmdlet: "MigrationBatch", word: "batch", path: "batches", about: "Batches of mailboxes" };

pub(crate) const CUTOVER: Noun = Noun {
    cmdlet: "MigrationCutover",
    word: "cutover",
    path: "cutovers",
    about: "Cut-over of batches: is the old server still needed?",
};

pub(crate) const USER: Noun =
    Noun { cmdlet: "MigrationUser", word: "user", path: "users", about: "Mailboxes of batches" };

pub(crate) const USER_REPORT: Noun = Noun {
    cmdlet: "MigrationUserReport",
    word: "user-report",
    path: "user-reports",
    about: "Lines of a mailbox's report",
};

pub(crate) const USER_STATISTICS: Noun = Noun {
    cmdlet: "MigrationUserStatistics",
    word: "user-statistics",
    path: "user-statistics",
    about: "Progress of a mailbox and its folders",
};

pub(crate) const SKIPPED_ITEM: Noun = Noun {
    cmdlet: "MigrationSkippedItem",
    word: "skipped-item",
    path: "skipped-items",
    about: "Skipped messages",
};

pub(crate) const FOLDER_PLAN: Noun = Noun {
    cmdlet: "MigrationFolderPlan",
    word: "folder-plan",
    path: "folder-plans",
    about: "Target of each folder, with the reason",
};

pub(crate) const FAILURE: Noun = Noun {
    cmdlet: "MigrationFailure",
    word: "failure",
    path: "failures",
    about: "Causes for which users failed",
};

pub(crate) const ISSUE: Noun = Noun {
    cmdlet: "MigrationIssue",
    word: "issue",
    path: "issues",
    about: "What needs the administrator now",
};

pub(crate) const STATISTICS: Noun = Noun {
    cmdlet: "MigrationStatistics",
    word: "statistics",
    path: "statistics",
    about: "Progress of all batches together",
};

pub(crate) const THROUGHPUT: Noun = Noun {
    cmdlet: "MigrationThroughput",
    word: "throughput",
    path: "throughput",
    about: "Work of a batch or endpoint over time",
};

pub(crate) const CONFIG: Noun = Noun {
    cmdlet: "MigrationConfig",
    word: "config",
    path: "config",
    about: "Configuration for all batches",
};

pub(crate) const NOTIFICATION: Noun = Noun {
    cmdlet: "MigrationNotification",
    word: "notification",
    path: "notifications",
    about: "Mails and webhooks about batches and endpoints",
};

pub(crate) const REPORT: Noun = Noun {
    cmdlet: "MigrationReport",
    word: "report",
    path: "reports",
    about: "Reports of batches as CSV files",
};

pub(crate) const AUDIT_LOG: Noun = Noun {
    cmdlet: "MigrationAuditLog",
    word: "audit-log",
    path: "audit-log",
    about: "Log of all changes, with caller and time",
};

pub(crate) const API_TOKEN: Noun = Noun {
    cmdlet: "MigrationApiToken",
    word: "token",
    path: "tokens",
    about: "Tokens for the HTTP interface",
};

pub(crate) const MASTER_KEY: Noun = Noun {
    cmdlet: "MigrationMasterKey",
    word: "master-key",
    path: "master-key",
    about: "Key that encrypts the passwords",
};

pub(crate) const NODE: Noun =
    Noun { cmdlet: "MigrationNode", word: "node", path: "nodes", about: "Services that run on one database" };
