//! Conversations with a peer that follows a script.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

mod bounds;
mod commands;
mod echo;
mod limits;
mod login;
mod sign_in;
mod stalls;
mod streams;
mod tls;
