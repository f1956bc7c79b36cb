//! Configuration for all batches.

pub(crate) mod get;
pub(crate) mod notification_changes;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod view;
