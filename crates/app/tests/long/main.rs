//! Faults in great numbers. `make test` runs a few of them, `make test-long` many.
//!
//! `MAILHAUL_EXTENT` says how many: 1 where it is not set. `MAILHAUL_SEED` begins with another number; what fails prints it.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::format_push_string, reason = "tests")]

mod clock;
mod cluster;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the tests of the service use more of it")]
mod common;
mod copies;
mod cuts;
mod hostile;
mod kinds;
#[path = "../service/support.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of the service use more of it")]
mod service;
mod storm;
mod support;
mod zombie;
