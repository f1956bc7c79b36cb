//! Deviations of real servers, one transcript each. Every test fails without the handling of its row in
//! docs/quirks.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::large_futures, reason = "tests")]

mod appends;
mod bodies;
mod content;
mod flags;
mod log;
#[path = "../../../engine/tests/support/mod.rs"]
mod memory;
mod profiles;
mod scans;
mod scene;
mod sessions;
mod state;
mod support;
mod table;
