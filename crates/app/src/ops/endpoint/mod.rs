//! Mail servers: one file for each operation, with the views beside them.

pub(crate) mod access;
pub(crate) mod availability;
pub(crate) mod availability_view;
pub(crate) mod get;
pub(crate) mod in_use;
pub(crate) mod new;
pub(crate) mod reach;
pub(crate) mod redirection;
pub(crate) mod remove;
pub(crate) mod server;
pub(crate) mod set;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod test;
pub(crate) mod test_server;
pub(crate) mod view;
