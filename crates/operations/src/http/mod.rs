//! HTTP interface of the list.

mod address;
mod body;
mod query;
mod reply;
mod service;

pub use service::{Limits, Service};

pub(crate) use address::{address, template, ways};
pub(crate) use query::to_query;
pub(crate) use reply::{JSON, NEXT_LINK, Refused, VALUE};
pub(crate) use service::{MAX_BODY, broken};
