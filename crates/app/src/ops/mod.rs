//! The operations: one file for each, and the list of all.

#![allow(clippy::doc_markdown, reason = "doc comments of requests are the help texts")]

mod batch;
mod config;
mod endpoint;
mod get_migration_api_token;
mod get_migration_audit_log;
mod get_migration_config;
mod get_migration_statistics;
mod new_migration_api_token;
mod new_migration_master_key;
mod remove_migration_api_token;
mod set_migration_config;
mod shared;
mod user;
mod views;

use mailhaul_operations::Operations;

use crate::context::Context;

/// Lists all operations in the order of the help.
pub(crate) fn operations() -> Operations<Context> {
    Operations::new()
        .with::<endpoint::test_server::TestMigrationServerAvailability>()
        .with::<endpoint::new::NewMigrationEndpoint>()
        .with::<endpoint::get::GetMigrationEndpoint>()
        .with::<endpoint::set::SetMigrationEndpoint>()
        .with::<endpoint::test::TestMigrationEndpoint>()
        .with::<endpoint::remove::RemoveMigrationEndpoint>()
        .with::<batch::new::NewMigrationBatch>()
        .with::<batch::get::GetMigrationBatch>()
        .with::<batch::set::SetMigrationBatch>()
        .with::<batch::start::StartMigrationBatch>()
        .with::<batch::stop::StopMigrationBatch>()
        .with::<batch::complete::CompleteMigrationBatch>()
        .with::<batch::remove::RemoveMigrationBatch>()
        .with::<user::get::GetMigrationUser>()
        .with::<user::set::SetMigrationUser>()
        .with::<user::start::StartMigrationUser>()
        .with::<user::stop::StopMigrationUser>()
        .with::<user::remove::RemoveMigrationUser>()
        .with::<user::get_statistics::GetMigrationUserStatistics>()
        .with::<user::get_skipped_item::GetMigrationSkippedItem>()
        .with::<user::get_folder_plan::GetMigrationFolderPlan>()
        .with::<get_migration_statistics::GetMigrationStatistics>()
        .with::<get_migration_config::GetMigrationConfig>()
        .with::<set_migration_config::SetMigrationConfig>()
        .with::<batch::export_report::ExportMigrationReport>()
        .with::<get_migration_audit_log::GetMigrationAuditLog>()
        .with::<new_migration_api_token::NewMigrationApiToken>()
        .with::<get_migration_api_token::GetMigrationApiToken>()
        .with::<remove_migration_api_token::RemoveMigrationApiToken>()
        .with::<new_migration_master_key::NewMigrationMasterKey>()
}

#[cfg(test)]
mod tests;
