//! Jobs: which user runs what next, who works on it, and what stops it.

pub(crate) mod check_row;
pub(crate) mod checks;
pub(crate) mod events;
pub(crate) mod held;
pub(crate) mod leases;
pub(crate) mod notices;
pub(crate) mod outbox;
pub(crate) mod parking;
pub(crate) mod pass_kind;
pub(crate) mod recovery;
pub(crate) mod release;
pub(crate) mod removals;
pub(crate) mod throughput;
pub(crate) mod usage;
pub(crate) mod watched_events;
