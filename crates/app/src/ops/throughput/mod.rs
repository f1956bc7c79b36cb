//! Work at batches and endpoints over time.

pub(crate) mod get;
mod periods;
