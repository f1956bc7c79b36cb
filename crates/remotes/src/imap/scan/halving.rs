//! Finds the message that spoils a command: a set of UIDs that is refused, or at which the connection ends,
//! is halved until one message is left.

use std::collections::BTreeMap;

use mailhaul_imap::{self as imap, SearchKey, Selected, response::Fetch};
use mailhaul_mail::{Scope, Uid, UidSet};

use crate::imap::{culprits::MOST_BREAKS, scan::memory::ScanMemory};

/// Failed commands after which no further halves are requested. A server that refuses everything is not
/// asked for each message, and many servers disconnect after some errors.
const MOST_REFUSALS: usize = 64;

/// Messages that the server refuses to show, with its words.
#[derive(Debug)]
pub(crate) struct RefusedSet {
    pub(crate) uids: UidSet,
    pub(crate) error: imap::Error,
}

/// Sets of UIDs that must still be requested.
///
/// They outlive a connection: the set that ended it is not requested again as a whole.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    todo: Vec<UidSet>,
    /// The set that is requested now, and the messages that were shown of it.
    asked: UidSet,
    shown: UidSet,
    refusals: usize,
    /// Sets that were refused, although all others were requested without them.
    pub(crate) refused: Vec<RefusedSet>,
    /// Connections that ended at a command, and those that ended at a single message.
    ended: usize,
    breaks: BTreeMap<Uid, u32>,
    /// Memory for the collected answers.
    memory: ScanMemory,
}

impl Halves {
    /// Adds a set to request.
    pub(crate) fn add(&mut self, uids: UidSet) {
        self.todo.push(uids);
    }

    /// Requests small items of all remaining messages. `collect` returns true for a complete answer.
    pub(crate) async fn run(
        &mut self,
        selected: &mut Selected<'_>,
        items: &str,
        mut collect: impl FnMut(&Fetch) -> bool,
    ) -> Result<(), imap::Error> {
        while let Some(uids) = self.todo.pop() {
            (self.asked, self.shown) = (uids, UidSet::new());
            let (shown, memory) = (&mut self.shown, &mut self.memory);
            let fetched = selected.uid_fetch_until(&self.asked, items, |fetch| {
                // A repeated answer replaces the earlier one.
                if fetch.uid.is_none_or(|uid| !shown.contains(uid)) {
                    memory.keep(&fetch)?;
                }
                if collect(&fetch) {
                    shown.extend(fetch.uid);
                }
                Ok(())
            });
            match fetched.await {
                Ok(()) => self.asked = UidSet::new(),
                Err(error) if is_refusal(&error) => {
                    if self.asked.is_all() {
                        self.asked = likely(selected).await?;
                    }
                    self.divide(&error);
                }
                Err(error) => return Err(error),
            }
        }
        self.refused.retain(|it| !it.uids.is_empty());
        Ok(())
    }

    /// Divides a set that was refused.
    fn divide(&mut self, error: &imap::Error) {
        self.refusals += 1;
        let uids = std::mem::take(&mut self.asked);
        let (is_alone, uids) = (uids.len() == 1, uids.without(&self.shown));
        if is_alone || self.refusals >= MOST_REFUSALS {
            self.refused.push(RefusedSet { uids, error: error.clone() });
        } else {
            self.add_halves(&uids);
        }
        if self.refusals >= MOST_REFUSALS {
            let rest = self.todo.drain(..);
            self.refused.extend(rest.map(|uids| RefusedSet { uids, error: error.clone() }));
        }
    }

    /// Returns the messages at which connections ended. All other refused sets may be requested again.
    pub(crate) fn forget_refusals(&mut self) -> UidSet {
        let breaks = &self.breaks;
        self.refused.retain(|it| it.uids.iter().any(|uid| breaks.contains_key(&uid)));
        self.refused.iter().flat_map(|it| it.uids.iter()).collect()
    }

    /// Divides the set at which the connection ended. The folder is open again.
    ///
    /// A message that ends several connections is not requested any more. Returns an error if no message is
    /// the reason.
    pub(crate) async fn broke(
        &mut self,
        selected: &mut Selected<'_>,
        error: &imap::Error,
    ) -> Result<(), imap::Error> {
        self.ended += 1;
        if self.asked.is_empty() || self.ended > MOST_REFUSALS {
            return Err(error.clone());
        }
        if self.asked.is_all() {
            self.asked = likely(selected).await?;
        }
        let uids = std::mem::take(&mut self.asked).without(&self.shown);
        let Some(uid) = uids.last().filter(|_| uids.len() == 1) else {
            self.add_halves(&uids);
            return Ok(());
        };
        let breaks = self.breaks.entry(uid).or_default();
        *breaks += 1;
        if *breaks < MOST_BREAKS {
            self.todo.push(uids);
        } else {
            let words = format_args!("{MOST_BREAKS} connections ended at this message");
            self.refused.push(RefusedSet { uids, error: error.clone().context(words) });
        }
        Ok(())
    }

    fn add_halves(&mut self, uids: &UidSet) {
        let (lower, upper) = uids.halves();
        self.todo.extend([upper, lower].into_iter().filter(|it| !it.is_empty()));
    }
}

/// Fetches small items of these messages. `collect` returns true for a complete answer. Returns the sets
/// that were refused, although all others were requested without them.
pub(crate) async fn fetch_in_halves(
    selected: &mut Selected<'_>,
    uids: UidSet,
    items: &str,
    collect: impl FnMut(&Fetch) -> bool,
) -> Result<Vec<RefusedSet>, imap::Error> {
    let mut halves = Halves::default();
    halves.add(uids);
    halves.run(selected, items, collect).await?;
    Ok(halves.refused)
}

/// True if the command is refused, without consequences for connection, mailbox or server.
pub(crate) fn is_refusal(error: &imap::Error) -> bool {
    error.scope <= Scope::Folder && error.kind == imap::ErrorKind::Refused
}

/// The UIDs that the server lists. If it lists none: all UIDs that it may have assigned.
async fn likely(selected: &mut Selected<'_>) -> Result<UidSet, imap::Error> {
    let listed = listed(selected).await?;
    if !listed.is_empty() {
        return Ok(listed);
    }
    let last = selected.data().uid_next.and_then(|next| Uid::new(next.get() - 1));
    Ok(last.map_or_else(UidSet::all, |last| UidSet::range(Uid::FIRST, last)))
}

/// The UIDs that SEARCH finds; none if it is refused.
pub(crate) async fn listed(selected: &mut Selected<'_>) -> Result<UidSet, imap::Error> {
    match selected.uid_search(&[SearchKey::All]).await {
        Err(error) if error.scope >= Scope::Session => Err(error),
        found => Ok(found.unwrap_or_default()),
    }
}
