//! Parts that all workers share.

use std::{path::PathBuf, time::Duration};

use mailhaul_engine::Budget;
use mailhaul_mail::PermitClock;
use mailhaul_records::Dns;
use mailhaul_store::Store;

use super::{
    access::{sign_ins::SignIns, tokens::TokenSources},
    limits::endpoint_limits::EndpointLimits,
    workers::Workers,
};

/// Parts that all workers share. Their methods are in `access`, `limits`, `check` and `folder_plan`.
#[derive(Clone)]
pub(crate) struct ServiceContext {
    pub(crate) store: Store,
    /// Directory of the archive.
    pub(crate) archive: PathBuf,
    pub(crate) workers: Workers,
    /// Bytes between all sources and targets of the process.
    pub(crate) budget: Budget,
    pub(crate) limits: EndpointLimits,
    pub(crate) tokens: TokenSources,
    pub(crate) dns: Dns,
    /// Maximum time of a pass without progress, if other users wait.
    pub(crate) stall_window: Duration,
    /// Sign-in mechanisms that work at each server.
    pub(crate) sign_ins: SignIns,
    /// Clock of the workers' permits.
    pub(crate) permit_clock: PermitClock,
}
