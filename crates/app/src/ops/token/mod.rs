//! Tokens for the HTTP interface.

pub(crate) mod get;
pub(crate) mod new;
pub(crate) mod remove;
pub(crate) mod view;
