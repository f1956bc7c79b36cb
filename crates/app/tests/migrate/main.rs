//! The program against real servers.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod copying;
mod crashes;
mod dry_run;
mod folder_options;
mod input;
mod later_passes;
mod refusals;
mod secrets;
mod sign_in;
mod support;
mod tokens;
