//! Every operation, with its refusals.

mod audit;
mod batch_tests;
mod batches;
mod checks;
mod cutover;
mod endpoints;
mod estimates;
mod folder_plans;
mod in_use;
mod life;
mod limits;
mod list;
mod long_lists;
mod many_users;
mod places;
mod reports;
mod revisions;
mod servers;
mod settings;
mod sign_ins;
mod support;
mod throughput;
mod tokens;
mod users;
mod ways_in;
mod windows;
