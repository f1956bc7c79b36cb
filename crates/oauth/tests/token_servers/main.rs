//! Token sources against HTTP servers that answer like token servers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod assertions;
mod device_code;
mod key_files;
mod refresh_token;
mod refusals;
mod secrets;
mod support;
