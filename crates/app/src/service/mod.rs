//! The service: who is migrated when, and by whom.

pub(crate) mod account;
mod archive;
mod pass_options;
pub(crate) mod progress;
mod scheduler;
mod verdict;
mod worker;
pub(crate) mod workers;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    scheduler::Scheduler,
    worker::Workplace,
    workers::{Ending, Workers},
};
