//! Parts that several groups of operations share.

pub(crate) mod confirm_deletions;
pub(crate) mod csv_errors;
pub(crate) mod failures;
pub(crate) mod log_line;
pub(crate) mod members;
pub(crate) mod moment;
pub(crate) mod names;
pub(crate) mod nouns;
pub(crate) mod pages;
pub(crate) mod report_file;
pub(crate) mod revision;
pub(crate) mod status_rules;
