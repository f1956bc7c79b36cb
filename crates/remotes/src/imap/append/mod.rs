//! APPEND: pipelined messages, their outcomes, and the limits that a target turned out to have.

pub(crate) mod learned;
pub(crate) mod permanent_flags;
pub(crate) mod rules;
pub(crate) mod sender;
pub(crate) mod tracker;
