//! Live events for pages: changes as they are committed, and progress each second.

pub(crate) mod feed;
pub(crate) mod route;
mod stream;
pub(crate) mod ticker;
mod topic;
