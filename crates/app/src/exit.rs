//! Exit codes.

use std::{fmt, process::ExitCode};

/// Exit code. `--help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every mailbox is synced, its numbers add up, no message was skipped.
    Synced,
    /// Every mailbox is synced, and some messages were skipped.
    Skipped,
    /// At least one mailbox failed.
    Failed,
    /// Wrong options or input: nothing was done.
    Usage,
    /// Bug of this program.
    Internal,
    /// The ledger is damaged.
    Damaged,
    /// The operator stopped it.
    Interrupted,
    /// An operation was refused or failed, with its own code.
    Operation(u8),
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Synced => 0,
            Self::Internal | Self::Damaged => 1,
            Self::Usage => 2,
            Self::Skipped => 10,
            Self::Failed => 20,
            Self::Interrupted => 130,
            Self::Operation(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl From<Exit> for i32 {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Synced => "synced",
            Self::Skipped => "synced with skipped messages",
            Self::Failed => "failed",
            Self::Usage => "wrong usage or input",
            Self::Internal => "internal error",
            Self::Damaged => "the ledger is damaged",
            Self::Interrupted => "stopped",
            Self::Operation(_) => "operation failed",
        })
    }
}

impl std::error::Error for Exit {}
