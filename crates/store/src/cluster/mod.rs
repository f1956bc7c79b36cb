//! Services that share one database on a server: nodes, and what they divide among themselves.

pub(crate) mod day_bytes;
pub(crate) mod learned;
pub(crate) mod nodes;
pub(crate) mod running;
pub(crate) mod server_clock;
pub(crate) mod share;
pub(crate) mod shares;
pub(crate) mod wakes;
