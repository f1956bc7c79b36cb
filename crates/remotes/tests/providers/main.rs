//! From and to servers that behave as the large providers do, in virtual time: throttling, disconnects,
//! expired tokens, daily limits.

#![allow(clippy::unwrap_used, reason = "tests")]

mod folder_names;
mod gmail_api;
mod gmail_source;
mod gmail_target;
mod localised;
#[path = "../../../engine/tests/support/mod.rs"]
mod memory;
mod microsoft;
mod support;
