//! Every operation, with its refusals.

mod audit;
mod batch_tests;
mod batches;
mod checks;
mod cutover;
mod endpoints;
mod life;
mod limits;
mod list;
mod long_lists;
mod reports;
mod servers;
mod settings;
mod support;
mod tokens;
mod users;
mod ways_in;
mod windows;
