//! Words of patience in answer to a FETCH: of the server, or of the one message that was asked for.

use std::collections::BTreeSet;

use mailhaul_imap as imap;
use mailhaul_mail::{Scope, Uid};

/// Different messages that are refused, and none given, before it is the server that asks for patience.
const MOST_REFUSED: usize = 3;

/// What is known while bodies are fetched.
#[derive(Debug, Default)]
pub(crate) struct Pleas {
    /// What the server has just said.
    heard: Option<imap::Error>,
    /// Messages that were refused so, alone, and the last words, while no message came that proves anything.
    open: BTreeSet<Uid>,
    last: Option<imap::Error>,
    /// The smallest message that came: the server gives it, unless it is the server that asks for patience.
    good: Option<(u64, Uid)>,
}

impl Pleas {
    pub(crate) fn hear(&mut self, error: imap::Error) {
        self.heard.get_or_insert(error);
    }

    pub(crate) fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    pub(crate) fn take(&mut self) -> Option<imap::Error> {
        self.heard.take()
    }

    /// A message came: those that were refused before it were meant alone.
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

    /// Nothing proves yet whom the words mean: the next messages are asked for one by one. An error where enough were
    /// refused, because they mean the server then.
    pub(crate) fn postpone(&mut self, error: imap::Error, alone: Option<Uid>) -> Result<(), imap::Error> {
        self.open.extend(alone);
        if self.open.len() >= MOST_REFUSED {
            return Err(of_the_server(error));
        }
        self.last = Some(error);
        Ok(())
    }

    /// True while nobody knows whom the last words mean.
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

/// The words as those of the server. Other mailboxes may fare better, and find out by themselves.
pub(crate) fn of_the_server(error: imap::Error) -> imap::Error {
    imap::Error { scope: error.scope.min(Scope::Mailbox), ..error }
}
