//! The service: who is migrated when, and by whom.

pub(crate) mod access;
mod check;
mod folder_plan;
pub(crate) mod forecast;
pub(crate) mod limits;
mod load;
mod outage;
pub(crate) mod progress;
mod scheduler;
mod service_context;
pub(crate) mod stall;
mod verdict;
mod worker;
pub(crate) mod workers;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    access::{sign_ins::SignIns, tokens::TokenDesk},
    limits::endpoint_limits::Gates,
    scheduler::Scheduler,
    service_context::Workplace,
    workers::{Ending, Workers},
};
