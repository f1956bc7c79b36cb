//! The web console in a real browser, against the real service and real servers.
//!
//! Each test makes the world of a scenario, and runs the scenario itself, which is a script of
//! `crates/console/tests/scenarios`. After each, the page has no error, no violation of its policy
//! and no request to another origin, and axe finds nothing, light and dark.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::format_push_string, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod endpoints;
mod events;
mod files_of_users;
mod first_run;
mod fix;
mod forged;
mod hostile;
mod lists;
mod looks;
mod orders;
mod restart;
mod rows;
mod sign_in;
mod skipped;
#[path = "../service/support.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of the service use more of it")]
mod support;
mod tabs;
mod throttled;
mod viewer;
mod world;
