//! State that stays the same while a folder is transferred.

use mailhaul_mail::FolderPath;
use tokio_util::sync::CancellationToken;

use crate::{
    arrivals::ArrivalRules, ledger_state::AppendStart, limits::throttle::PassLimits, ports::StorageHabits,
    transfer::pipe::Budget,
};

pub(crate) struct TransferContext<'a, L, P, C> {
    pub(crate) clock: &'a C,
    pub(crate) ledger: &'a L,
    pub(crate) progress: &'a P,
    pub(crate) budget: &'a Budget,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) limits: &'a PassLimits,
    pub(crate) target_folder: &'a FolderPath,
    pub(crate) append_start: AppendStart,
    pub(crate) habits: StorageHabits,
    pub(crate) arrivals: Option<&'a ArrivalRules>,
    /// Maximum number of messages in one command.
    pub(crate) batch: usize,
}
