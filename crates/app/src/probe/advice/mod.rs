//! Advice from the findings of a probe; pure.

pub(crate) mod causes;
pub(crate) mod forms;
pub(crate) mod instructions;
pub(crate) mod setup;
