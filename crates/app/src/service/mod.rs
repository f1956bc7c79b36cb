//! The service: who is migrated when, and by whom.

mod account;
mod archive;
mod pass_options;
pub(crate) mod probe;
mod progress;
mod scheduler;
mod worker;
mod workers;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    scheduler::Scheduler,
    workers::{Ending, Workers},
};
