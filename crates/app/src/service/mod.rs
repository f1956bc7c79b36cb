//! The service: schedules passes and checks of users, and runs them.

pub(crate) mod access;
mod admission;
mod check;
mod folder_plan;
pub(crate) mod forecast;
mod lease_times;
pub(crate) mod limits;
mod listener;
mod outage;
pub(crate) mod outbox;
pub(crate) mod progress;
mod routing;
mod scheduler;
mod service_context;
mod shares;
pub(crate) mod stall;
pub(crate) mod throughput;
mod verdict;
mod worker;
pub(crate) mod workers;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    access::{sign_ins::SignIns, tokens::TokenSources},
    limits::endpoint_limits::EndpointLimits,
    scheduler::Scheduler,
    service_context::ServiceContext,
    throughput::Throughput,
    workers::{EndReason, Workers},
};
