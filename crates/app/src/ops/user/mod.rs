//! Mailboxes of batches: one file for each operation, with the views beside them.

pub(crate) mod filters;
pub(crate) mod folder_plan_sums;
pub(crate) mod folder_plan_view;
pub(crate) mod get;
pub(crate) mod get_folder_plan;
pub(crate) mod get_report;
pub(crate) mod get_skipped_item;
pub(crate) mod get_statistics;
pub(crate) mod message_reading;
pub(crate) mod pace;
pub(crate) mod remove;
pub(crate) mod report_view;
pub(crate) mod saved_messages;
pub(crate) mod set;
pub(crate) mod set_many;
pub(crate) mod skipped_item_view;
pub(crate) mod skipped_report_rows;
pub(crate) mod source_message;
pub(crate) mod start;
pub(crate) mod statistics_view;
pub(crate) mod stop;
pub(crate) mod test_folder_plan;
pub(crate) mod user_change;
pub(crate) mod view;
