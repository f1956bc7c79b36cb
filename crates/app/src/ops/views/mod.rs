//! What operations show: Exchange's properties by Exchange's names, and ours where it has none.

mod api_token;
mod audit_log;
mod availability;
mod batch;
mod batch_message;
mod config;
mod endpoint;
mod folder_plan;
mod moment;
mod report;
mod skipped_item;
mod statistics;
mod user;
mod user_statistics;

pub(crate) use self::{
    api_token::MigrationApiToken,
    audit_log::MigrationAuditLog,
    availability::{MigrationServerAvailability, TestResult},
    batch::{BatchNames, Counts, MigrationBatch},
    config::MigrationConfig,
    endpoint::{Active, MigrationEndpoint},
    folder_plan::MigrationFolderPlan,
    moment::Moment,
    report::MigrationReport,
    skipped_item::MigrationSkippedItem,
    statistics::MigrationStatistics,
    user::{MigrationUser, Waiting},
    user_statistics::{Details, MigrationUserStatistics, ReportLine},
};

/// The archive under the data directory, where an endpoint's name is asked for. No endpoint may be called so.
pub(crate) const ARCHIVE: &str = "Archive";

/// What a mail server is to Exchange.
const IMAP: &str = "IMAP";
