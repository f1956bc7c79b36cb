//! The service: who is migrated when, and by whom.

mod account;
mod archive;
mod pass_options;
mod progress;
mod scheduler;
mod worker;
mod workers;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    account::connect_options,
    pass_options::{pass_options, zone},
    scheduler::Scheduler,
    worker::certificates_file,
    workers::{Ending, Workers},
};
