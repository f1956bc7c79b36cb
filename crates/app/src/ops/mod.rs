//! The operations: one file for each, and the list of all.

#![allow(clippy::doc_markdown, reason = "doc comments of requests are the help texts")]

mod audit;
mod batch;
mod config;
mod cutover;
mod endpoint;
mod node;
mod notification;
mod server;
mod shared;
mod throughput;
mod token;
mod trouble;
mod user;

use mailhaul_operations::Operations;

pub(crate) use self::{
    audit::view::MigrationAuditLog, shared::failures::into_failure, trouble::issues_now::issues_now,
    user::message_reading::MessageSink, user::report_view::MigrationUserReport,
    user::source_message::SkippedSource,
};
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
        .with::<endpoint::sign_in::NewMigrationEndpointSignIn>()
        .with::<batch::test::TestMigrationBatch>()
        .with::<batch::new::NewMigrationBatch>()
        .with::<batch::get::GetMigrationBatch>()
        .with::<batch::set::SetMigrationBatch>()
        .with::<batch::start::StartMigrationBatch>()
        .with::<batch::stop::StopMigrationBatch>()
        .with::<batch::complete::CompleteMigrationBatch>()
        .with::<batch::remove::RemoveMigrationBatch>()
        .with::<cutover::get::GetMigrationCutover>()
        .with::<cutover::test::TestMigrationCutover>()
        .with::<cutover::set::SetMigrationCutover>()
        .with::<user::get::GetMigrationUser>()
        .with::<user::set::SetMigrationUser>()
        .with::<user::start::StartMigrationUser>()
        .with::<user::stop::StopMigrationUser>()
        .with::<user::remove::RemoveMigrationUser>()
        .with::<user::get_statistics::GetMigrationUserStatistics>()
        .with::<user::get_report::GetMigrationUserReport>()
        .with::<user::get_skipped_item::GetMigrationSkippedItem>()
        .with::<user::get_folder_plan::GetMigrationFolderPlan>()
        .with::<user::test_folder_plan::TestMigrationFolderPlan>()
        .with::<trouble::get_failure::GetMigrationFailure>()
        .with::<trouble::get_issue::GetMigrationIssue>()
        .with::<server::get_statistics::GetMigrationStatistics>()
        .with::<throughput::get::GetMigrationThroughput>()
        .with::<config::get::GetMigrationConfig>()
        .with::<config::set::SetMigrationConfig>()
        .with::<notification::get::GetMigrationNotification>()
        .with::<notification::test::TestMigrationNotification>()
        .with::<batch::export_report::ExportMigrationReport>()
        .with::<audit::get::GetMigrationAuditLog>()
        .with::<token::new::NewMigrationApiToken>()
        .with::<token::get::GetMigrationApiToken>()
        .with::<token::remove::RemoveMigrationApiToken>()
        .with::<server::new_master_key::NewMigrationMasterKey>()
        .with::<node::get::GetMigrationNode>()
        .with::<node::set::SetMigrationNode>()
}

#[cfg(test)]
mod tests;
