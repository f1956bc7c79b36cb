//! Mailbox checks: both mailboxes of a user are opened before any mail is moved.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::PassFailure;

/// Result of opening one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opening {
    /// The mailbox exists, and this login can open it.
    Opened,
    /// It cannot be opened; a retry without a change would not help.
    Failed(PassFailure),
}

impl Opening {
    pub fn failure(&self) -> Option<&PassFailure> {
        match self {
            Self::Opened => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// Results for both mailboxes of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxCheck {
    /// Time of the next check; `None` if none is requested.
    pub due: Option<Timestamp>,
    /// Number of checks in a row without a result.
    pub attempts: u32,
    /// Reason why the last check had no result: the server was unreachable or asked for a delay.
    pub delay: Option<String>,
    /// Time of the last result.
    pub checked: Option<Timestamp>,
    /// Result at the source; `None` if not checked.
    pub source: Option<Opening>,
    /// Result at the target; `None` if not checked, or if mail goes to the archive.
    pub target: Option<Opening>,
}

impl MailboxCheck {
    /// True if a mailbox cannot be opened, and no new check is requested.
    pub fn has_failed(&self) -> bool {
        let openings = [&self.source, &self.target];
        self.due.is_none() && openings.into_iter().flatten().any(|it| it.failure().is_some())
    }
}
