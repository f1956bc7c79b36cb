//! Nodes: the services that run on one database.

pub(crate) mod get;
pub(crate) mod set;
pub(crate) mod view;
