//! The service: who is migrated when, and by whom.

pub(crate) mod probe;
mod progress;
mod workers;

pub(crate) use self::workers::{Ending, Workers};
