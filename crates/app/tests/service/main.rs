//! The service against real servers, used through the program.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::format_push_string, reason = "tests")]

mod any_request;
mod archives;
mod availability;
mod checks;
#[path = "../long/clock.rs"]
#[expect(dead_code, reason = "the long tests use more of it")]
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod copies;
mod crashes;
mod documents;
mod echo;
mod escapes;
mod examples;
mod failures;
mod findings;
mod folders;
mod foreign;
mod full_disk;
mod grants;
mod incremental;
mod liars;
mod limits;
mod lives;
mod nodes;
mod notifications;
mod on_server;
mod outages;
mod prompt;
mod scripts;
mod secrets;
mod seed;
mod seed_microsoft_365;
mod support;
mod terminal;
mod tokens;
mod upgrades;
mod web;

use support as service;
