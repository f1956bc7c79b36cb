//! The check of a user: whether both mailboxes can be opened, before any mail is moved.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::user::Failure;

/// What became of opening one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opening {
    /// It is there, and open to this login.
    Opened,
    /// It cannot be opened; to try again without a change would not help.
    Failed(Failure),
}

impl Opening {
    /// Why it cannot be opened.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Opened => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// What is known of both mailboxes of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxCheck {
    /// When they are to be opened next; `None` where nobody asked for it, or it is done.
    pub due: Option<Timestamp>,
    /// How often in a row nothing was found out.
    pub attempts: u32,
    /// Why nothing was found out last: a server that is away or asks for patience says nothing about a mailbox.
    pub delay: Option<String>,
    /// When something was found out last.
    pub checked: Option<Timestamp>,
    /// What, at the source; `None` where nobody tried.
    pub source: Option<Opening>,
    /// What, at the target; `None` where nobody tried, or mail goes to the archive.
    pub target: Option<Opening>,
}

impl MailboxCheck {
    /// Whether a mailbox was found that cannot be opened, and nobody has asked to look again.
    pub fn has_failed(&self) -> bool {
        let openings = [&self.source, &self.target];
        self.due.is_none() && openings.into_iter().flatten().any(|it| it.failure().is_some())
    }
}
