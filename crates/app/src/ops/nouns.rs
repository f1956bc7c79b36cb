//! What operations are about.

use mailhaul_operations::Noun;

pub(crate) const SERVER_AVAILABILITY: Noun = Noun {
    cmdlet: "MigrationServerAvailability",
    word: "server",
    path: "server-availability",
    about: "Mail servers, before anything is set up for them",
};

pub(crate) const ENDPOINT: Noun = Noun {
    cmdlet: "MigrationEndpoint",
    word: "endpoint",
    path: "endpoints",
    about: "Servers that mail comes from and goes to",
};

pub(crate) const BATCH: Noun =
    Noun { cmdlet: "MigrationBatch", word: "batch", path: "batches", about: "Batches of mailboxes" };

pub(crate) const USER: Noun =
    Noun { cmdlet: "MigrationUser", word: "user", path: "users", about: "Mailboxes of batches" };

pub(crate) const USER_STATISTICS: Noun = Noun {
    cmdlet: "MigrationUserStatistics",
    word: "user-statistics",
    path: "user-statistics",
    about: "How far a mailbox is, folder by folder",
};

pub(crate) const SKIPPED_ITEM: Noun = Noun {
    cmdlet: "MigrationSkippedItem",
    word: "skipped-item",
    path: "skipped-items",
    about: "Messages that were skipped",
};

pub(crate) const FOLDER_PLAN: Noun = Noun {
    cmdlet: "MigrationFolderPlan",
    word: "folder-plan",
    path: "folder-plans",
    about: "Where a mailbox's folders go, and why",
};

pub(crate) const STATISTICS: Noun = Noun {
    cmdlet: "MigrationStatistics",
    word: "statistics",
    path: "statistics",
    about: "How far all batches are together",
};

pub(crate) const CONFIG: Noun =
    Noun { cmdlet: "MigrationConfig", word: "config", path: "config", about: "What holds for all batches" };

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
    about: "Who changed what, and when",
};

pub(crate) const API_TOKEN: Noun = Noun {
    cmdlet: "MigrationApiToken",
    word: "token",
    path: "tokens",
    about: "Tokens of those who ask over HTTP",
};

pub(crate) const MASTER_KEY: Noun = Noun {
    cmdlet: "MigrationMasterKey",
    word: "master-key",
    path: "master-key",
    about: "The key with which passwords are sealed",
};
