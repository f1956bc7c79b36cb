//! The program against every kind of real server, in the shapes in which administrators run them.

#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "tests")]

mod admin_forms;
mod administrators;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod common;
mod exceptions;
mod holdings;
mod hostile_names;
mod pairs;
mod refusals;
mod repairs;
#[path = "../service/support.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod service;
mod shapes;
#[path = "../migrate/support.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod support;
