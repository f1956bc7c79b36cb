//! IMAP servers: a mailbox as `Source` and as `Target`.

pub(crate) mod account;
pub(crate) mod append;
pub(crate) mod connect;
pub(crate) mod culprits;
pub(crate) mod link_speed;
pub(crate) mod listing;
pub(crate) mod mailbox;
pub(crate) mod numbering;
pub(crate) mod scan;
pub(crate) mod select;
pub(crate) mod source;
mod target;
