//! Whole scripts on a host in memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bounds;
mod cmdlets;
mod completion;
mod findings;
mod functions;
mod language;
mod random;
mod refusals;
mod seed;
mod statements;
mod support;
