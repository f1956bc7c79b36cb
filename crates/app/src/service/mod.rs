//! The service: who is migrated when, and by whom.

pub(crate) mod account;
mod archive;
mod cap;
mod check;
mod folder_plan;
pub(crate) mod forecast;
mod gates;
mod limits;
mod load;
mod outage;
mod parking;
mod pass_options;
pub(crate) mod progress;
pub(crate) mod rates;
mod route;
mod scheduler;
mod sign_ins;
pub(crate) mod stall;
pub(crate) mod tokens;
mod verdict;
mod worker;
pub(crate) mod workers;
mod workplace;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    gates::Gates,
    scheduler::Scheduler,
    sign_ins::SignIns,
    tokens::TokenDesk,
    workers::{Ending, Workers},
    workplace::Workplace,
};
