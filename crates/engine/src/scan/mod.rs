//! Scans of source folders, and the proofs that they show the right messages.

pub(crate) mod counts;
pub(crate) mod folder_scan;
pub(crate) mod identity;
pub(crate) mod remainder;
pub(crate) mod remarks;
pub(crate) mod reused_uids;
