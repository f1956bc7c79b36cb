//! Log of all changes.

pub(crate) mod get;
pub(crate) mod view;
