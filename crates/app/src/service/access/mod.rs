//! Access to the mailboxes of a user: accounts, tokens, and the route between source and target.

pub(crate) mod account;
mod archive;
mod pass_options;
pub(crate) mod route;
pub(crate) mod sign_ins;
pub(crate) mod tokens;
