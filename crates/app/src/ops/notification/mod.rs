//! Notifications: their list, and a test of the servers that take them.

pub(crate) mod get;
pub(crate) mod test;
pub(crate) mod view;
