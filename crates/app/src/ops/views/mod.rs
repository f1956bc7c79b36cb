//! Views: the objects that operations return.
//!
//! Property names are Exchange's, or mailhaul's where Exchange has none.

mod api_token;
mod audit_log;
mod config;
mod statistics;

pub(crate) use self::{
    api_token::MigrationApiToken, audit_log::MigrationAuditLog, config::MigrationConfig,
    statistics::MigrationStatistics,
};

/// Name of the archive in the data directory, in place of an endpoint's name. No endpoint may have
/// it.
pub(crate) const ARCHIVE: &str = "Archive";

/// Exchange's migration type of mail servers.
pub(crate) const IMAP: &str = "IMAP";
