//! Throttle replies to FETCH. They mean the server, or the one requested message.

use std::collections::BTreeSet;

use mailhaul_imap as imap;
use mailhaul_mail::{Scope, Uid};

/// Different refused messages, without an accepted one, after which a reply means the server.
const MOST_REFUSED: usize = 3;

/// Throttle replies while bodies are fetched.
#[derive(Debug, Default)]
pub(crate) struct ThrottleReplies {
    /// The last reply of the server.
    heard: Option<imap::Error>,
    /// Messages that were refused alone, and the last reply, while no message arrived that proves anything.
    open: BTreeSet<Uid>,
    last: Option<imap::Error>,
    /// The smallest message that arrived. The server gives it again, unless it throttles all requests.
    good: Option<(u64, Uid)>,
}

impl ThrottleReplies {
    pub(crate) fn hear(&mut self, error: imap::Error) {
        self.heard.get_or_insert(error);
    }

    pub(crate) fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    pub(crate) fn take(&mut self) -> Option<imap::Error> {
        self.heard.take()
    }

    /// Records an arrived message. Refusals before it meant single messages.
    pub(crate) fn came(&mut self, uid: Uid, octets: u64) {
        if self.good.is_none_or(|(smallest, _)| octets < smallest) {
            self.good = Some((octets, uid));
        }
        self.last = None;
        self.open.clear();
    }

    pub(crate) fn good(&self) -> Option<Uid> {
        self.good.map(|(_, uid)| uid)
    }

    /// Keeps a reply of unknown meaning: the next messages are requested one by one. Returns an error after
    /// enough refusals, because they mean the server.
    pub(crate) fn postpone(&mut self, error: imap::Error, alone: Option<Uid>) -> Result<(), imap::Error> {
        self.open.extend(alone);
        if self.open.len() >= MOST_REFUSED {
            return Err(as_server_reply(error));
        }
        self.last = Some(error);
        Ok(())
    }

    /// True while the meaning of the last reply is unknown.
    pub(crate) fn are_open(&self) -> bool {
        self.last.is_some()
    }

    pub(crate) fn open(&self) -> &BTreeSet<Uid> {
        &self.open
    }

    pub(crate) fn close(&mut self) -> Option<imap::Error> {
        self.open.clear();
        self.last.take()
    }
}

/// The reply as one of the server. Other mailboxes may not be affected.
pub(crate) fn as_server_reply(error: imap::Error) -> imap::Error {
    imap::Error { scope: error.scope.min(Scope::Mailbox), ..error }
}
