//! Columns and rows of the reports that can be exported, as docs/reference/reports.md describes them.

use mailhaul_migration::MigrationUser;
use mailhaul_store::UserFailure;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::ops::shared::report_file::date;

/// Reports that can be exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Kind {
    /// Progress: one row for each user.
    #[default]
    Statistics,
    /// Failures: one row for each user whose last pass failed, with reason and advice.
    Errors,
    /// Skipped messages: one row for each message, with the reason.
    SkippedItems,
}

pub(crate) fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Statistics => &[
            "Row",
            "EmailAddress",
            "Status",
            "DataConsistencyScore",
            "TotalItems",
            "SyncedItems",
            "SkippedItems",
            "BytesTransferred",
            "InitialSyncTime",
            "LastSuccessfulSyncTime",
            "ErrorClass",
            "ErrorMessage",
        ],
        Kind::Errors => &["Row", "EmailAddress", "Status", "ErrorClass", "ErrorMessage", "Advice"],
        Kind::SkippedItems => {
            &["Row", "EmailAddress", "Folder", "UID", "Subject", "DateReceived", "Size", "Kind", "Reason"]
        }
    }
}

pub(crate) fn statistics_row(user: &MigrationUser) -> [String; 12] {
    let numbers = &user.statistics;
    let failure = user.failure.as_ref();
    [
        user.row.to_string(),
        user.email_address.clone(),
        user.status.to_string(),
        user.score().map(|it| it.to_string()).unwrap_or_default(),
        numbers.total_items.to_string(),
        numbers.synced_items.to_string(),
        numbers.skipped_items.to_string(),
        numbers.bytes_transferred.to_string(),
        date(user.initial_synced),
        date(user.last_synced),
        failure.map(|it| it.class.to_string()).unwrap_or_default(),
        failure.map(|it| it.message.clone()).unwrap_or_default(),
    ]
}

pub(crate) fn errors_row(failed: UserFailure) -> [String; 6] {
    [
        failed.row.to_string(),
        failed.email_address,
        failed.status.to_string(),
        failed.failure.class.to_string(),
        failed.failure.message,
        failed.failure.advice.unwrap_or_default(),
    ]
}
