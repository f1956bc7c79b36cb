//! HTTP interface of the list.

mod address;
mod body;
mod compression;
mod csv;
mod limits;
mod lines;
mod query;
mod reply;
mod revision;
mod service;

pub use csv::attachment;
pub use limits::Limits;
pub use service::Service;

pub(crate) use address::{address, template, ways};
pub(crate) use csv::CSV;
pub(crate) use limits::MAX_BODY;
pub(crate) use lines::LINES;
pub(crate) use query::to_query;
pub(crate) use reply::{JSON, NEXT_LINK, Refused, TOTAL_COUNT, VALUE};
pub(crate) use service::broken;
