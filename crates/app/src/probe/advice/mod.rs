//! Texts of a server test: causes of refusals, setup of the service, CSV lines and commands. Pure.

pub(crate) mod csv_and_commands;
pub(crate) mod forms;
pub(crate) mod setup;
pub(crate) mod token_causes;
