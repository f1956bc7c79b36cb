//! Stores of up to a million users: a turn of the scheduler, claims of many workers, windows of a sorted list.
//!
//! `MAILHAUL_BENCH_USERS=10000` measures that number of users only.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

mod claims;
mod place;
mod turn;
mod windows;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, turn::turns, claims::claims, windows::windows);
criterion_main!(benches);
