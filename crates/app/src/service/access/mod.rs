//! Access to a user's mailboxes: accounts, tokens, and the route from source to target.

pub(crate) mod account;
mod archive;
pub(crate) mod destination;
pub(crate) mod pass_options;
pub(crate) mod sign_ins;
pub(crate) mod tokens;
