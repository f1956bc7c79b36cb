//! Steps of a server test.

pub(crate) mod administrator;
pub(crate) mod bearer;
mod certificate_chain;
pub(crate) mod connect;
mod connections;
mod mailbox;
mod profile;
pub(crate) mod root;
mod speed;
