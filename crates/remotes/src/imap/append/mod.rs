//! APPEND: pipelined messages, their outcomes, and the target's limits.

pub(crate) mod learned;
pub(crate) mod permanent_flags;
pub(crate) mod rules;
pub(crate) mod sender;
pub(crate) mod tracker;
