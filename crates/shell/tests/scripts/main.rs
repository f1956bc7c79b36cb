//! Whole scripts on a host in memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cmdlets;
mod completion;
mod language;
mod random;
mod refusals;
mod seed;
mod support;
