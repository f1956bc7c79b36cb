//! The service against real servers, asked through the program as an administrator asks it.

#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "tests")]

mod any_request;
mod availability;
mod checks;
#[path = "../common/mod.rs"]
mod common;
mod crashes;
mod documents;
mod failures;
mod folders;
mod grants;
mod incremental;
mod limits;
mod lives;
mod secrets;
mod seed;
mod seed_microsoft_365;
mod support;
mod tokens;
mod web;
