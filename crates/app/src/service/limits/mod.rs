//! Limits of endpoints: connections, rates, and pauses after refusals.

mod cap;
pub(crate) mod endpoint_limits;
mod parking;
pub(crate) mod pass_limits;
pub(crate) mod rates;
