//! Limits of endpoints: connections, rates, and pauses after refusals.

mod cap;
pub(crate) mod configured;
pub(crate) mod day_bytes;
pub(crate) mod endpoint_limits;
pub(crate) mod meter;
mod parking;
