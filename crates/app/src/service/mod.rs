//! The service: who is migrated when, and by whom.

pub(crate) mod probe;
pub(crate) mod progress;
pub(crate) mod workers;

pub(crate) use self::workers::{Ending, Workers};
