//! Limits: rates of a server, connections, and bytes that are read back.

pub(crate) mod rate;
pub(crate) mod read_back_budget;
pub(crate) mod reservation;
pub(crate) mod slots;
pub(crate) mod throttle;
