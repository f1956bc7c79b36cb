//! From a real Dovecot into a Maildir on the disk, which another real Dovecot serves as it is.

#![allow(clippy::unwrap_used, reason = "tests")]

mod limits;
#[path = "../../../engine/tests/support/mod.rs"]
mod memory;
mod neighbour;
mod serving;
mod support;
