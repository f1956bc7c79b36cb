//! Downloads of the console: one-time links to reports and messages, which a browser saves by itself.

mod message;
pub(crate) mod routes;
