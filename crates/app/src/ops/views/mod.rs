//! Views: the objects that operations return.
//!
//! Property names are Exchange's, or mailhaul's where Exchange has none.

mod api_token;
mod audit_log;
mod availability;
mod config;
mod endpoint;
mod folder_plan;
mod skipped_item;
mod statistics;
mod user;
mod user_statistics;

pub(crate) use self::{
    api_token::MigrationApiToken,
    audit_log::MigrationAuditLog,
    availability::{MigrationServerAvailability, TestResult},
    config::MigrationConfig,
    endpoint::{Active, MigrationEndpoint},
    folder_plan::MigrationFolderPlan,
    skipped_item::MigrationSkippedItem,
    statistics::MigrationStatistics,
    user::{MigrationUser, Waiting},
    user_statistics::{Details, MigrationUserStatistics, ReportLine},
};

/// Name of the archive in the data directory, in place of an endpoint's name. No endpoint may have
/// it.
pub(crate) const ARCHIVE: &str = "Archive";

/// Exchange's migration type of mail servers.
pub(crate) const IMAP: &str = "IMAP";
