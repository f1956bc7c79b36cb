//! What operations work on.

use std::path::PathBuf;

use jiff::Timestamp;
use mailhaul_store::Store;

use crate::service::Workers;

/// One data directory, opened.
pub(crate) struct Context {
    /// The database in it.
    pub(crate) store: Store,
    /// The directory.
    pub(crate) data: PathBuf,
    /// The workers of this process; none where it is not the service.
    pub(crate) workers: Workers,
}

impl Context {
    /// The time of the machine.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
