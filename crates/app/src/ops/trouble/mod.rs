//! Causes of failures, and issues of all kinds that need the administrator.

pub(crate) mod get_failure;
pub(crate) mod get_issue;
mod issues;
pub(crate) mod issues_now;
