//! The objects of administrators: endpoints, batches, users, reports, tokens, settings.

pub(crate) mod arrivals;
pub(crate) mod audit;
pub(crate) mod batch_sums;
pub(crate) mod batches;
pub(crate) mod config;
pub(crate) mod console_sessions;
pub(crate) mod cutover;
pub(crate) mod endpoints;
pub(crate) mod failures;
pub(crate) mod many_users;
pub(crate) mod members;
pub(crate) mod notifications;
pub(crate) mod overview;
pub(crate) mod reports;
pub(crate) mod tokens;
pub(crate) mod totals;
pub(crate) mod user_filter;
pub(crate) mod user_windows;
pub(crate) mod users;
