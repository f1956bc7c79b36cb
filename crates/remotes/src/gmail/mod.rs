//! Gmail: labels of a source, and a target that messages are uploaded to.

pub(crate) mod api;
pub(crate) mod labels;
mod target;
