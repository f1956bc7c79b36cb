//! Batches of mailboxes: one file for each operation, with the view beside them.

pub(crate) mod complete;
pub(crate) mod endpoints;
pub(crate) mod estimate;
pub(crate) mod export_report;
pub(crate) mod get;
pub(crate) mod message;
pub(crate) mod new;
pub(crate) mod notification_checks;
pub(crate) mod remove;
pub(crate) mod report_columns;
pub(crate) mod schedule;
pub(crate) mod set;
pub(crate) mod settings_checks;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod test;
pub(crate) mod view;
