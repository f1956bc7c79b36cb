//! The service: who is migrated when, and by whom.

mod progress;
mod workers;

pub(crate) use self::workers::{Ending, Workers};
