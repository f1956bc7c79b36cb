//! Texts of a server test: causes of refusals, setup of the service, CSV lines and commands. Pure.

pub(crate) mod causes;
pub(crate) mod forms;
pub(crate) mod instructions;
pub(crate) mod setup;
