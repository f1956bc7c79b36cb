//! What all workers share.

use std::{path::PathBuf, time::Duration};

use mailhaul_engine::Budget;
use mailhaul_store::Store;

use super::{
    access::{sign_ins::SignIns, tokens::TokenDesk},
    limits::endpoint_limits::Gates,
    workers::Workers,
};

/// What all workers share: who does what with it is said in `worker`, `check`, `route`, `limits` and `folder_plan`.
#[derive(Clone)]
pub(crate) struct Workplace {
    pub(crate) store: Store,
    pub(crate) data: PathBuf,
    pub(crate) workers: Workers,
    /// Octets on their way between all sources and targets of the process.
    pub(crate) budget: Budget,
    /// What servers put up with.
    pub(crate) gates: Gates,
    /// The access tokens of their mailboxes.
    pub(crate) tokens: TokenDesk,
    /// How long a pass may be without progress where others wait.
    pub(crate) stall_window: Duration,
    /// The sign-in mechanisms that work at their servers.
    pub(crate) sign_ins: SignIns,
}
