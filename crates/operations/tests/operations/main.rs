//! The machinery, with a small list of operations.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod binding;
mod fuzz;
mod generated;
mod http;
mod lamps;
mod sockets;
mod steps;
mod support;
