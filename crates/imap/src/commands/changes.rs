//! EXAMINE and UID FETCH with CHANGEDSINCE (RFC 7162) for several mailboxes in one round trip.

use std::collections::VecDeque;

use mailhaul_mail::{ModSeq, Scope, UidSet};

use super::{SelectOptions, plain_items};
use crate::{
    command_id::CommandId,
    driver::{Event, MailboxData, SelectedState},
    encode::Command,
    error::{Error, ErrorKind},
    mailbox_name::MailboxName,
    response::{Code, Fetch, Status, StatusResponse, Untagged},
    session::Session,
};

/// Mailbox, and the state since which its changes are requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesQuery {
    /// Name of the mailbox.
    pub name: MailboxName,
    /// Messages whose changes are requested.
    pub uids: UidSet,
    /// HIGHESTMODSEQ of the earlier state.
    pub since: ModSeq,
}

/// Mailbox with its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedMailbox {
    /// Data of the mailbox when it was opened.
    pub data: MailboxData,
    /// Number of messages after the answer.
    pub exists: u32,
    /// Messages that vanished, if QRESYNC is enabled.
    pub vanished: UidSet,
}

impl Session {
    /// Opens several mailboxes read-only, and fetches the changes of each. All commands are sent at once.
    ///
    /// `collect` receives each message with the index of its mailbox. The last mailbox stays open. The caller must compare
    /// UIDVALIDITY: if it changed, the messages have no meaning.
    pub async fn changes_of_many(
        &mut self,
        queries: &[ChangesQuery],
        items: &str,
        mut collect: impl FnMut(usize, Box<Fetch>),
    ) -> Result<Vec<Result<ChangedMailbox, Error>>, Error> {
        plain_items(items)?;
        self.link.drain_abandoned().await?;
        // A refusal unselects too (RFC 9051, section 6.3.2). If this future is dropped, no mailbox counts as selected.
        self.link.state_mut().selected = None;
        let mut commands = self.send_all(queries, items).await?;
        let mut outcomes = Vec::with_capacity(queries.len());
        let mut mailbox = MailboxAnswers::default();
        while let Some(awaited) = commands.front().copied() {
            match self.link.next().await? {
                Event::Untagged(Untagged::Fetch(fetch)) if mailbox.is_open() => {
                    collect(outcomes.len(), fetch);
                }
                Event::Untagged(untagged) => mailbox.observe(untagged),
                Event::Tagged { id, .. } if id != awaited => {
                    // The answers can no longer be assigned to mailboxes.
                    let words = "EXAMINE and UID FETCH were not answered in their order";
                    return Err(self.link.incoming.fail(Error::session(ErrorKind::Protocol, words)));
                }
                Event::Tagged { status, .. } => {
                    commands.pop_front();
                    outcomes.extend(mailbox.ended(&status));
                }
                _ => {}
            }
        }
        if let (Some(Ok(last)), Some(query)) = (outcomes.last(), queries.last()) {
            let data = MailboxData { exists: last.exists, ..last.data.clone() };
            self.link.state_mut().selected = Some(Box::new(SelectedState { name: query.name.clone(), data }));
        }
        Ok(outcomes)
    }

    async fn send_all(
        &mut self,
        queries: &[ChangesQuery],
        items: &str,
    ) -> Result<VecDeque<CommandId>, Error> {
        let vanished = if self.has_enabled("QRESYNC") { " VANISHED" } else { "" };
        let condstore = self.parameters(&SelectOptions { condstore: true, qresync: None });
        let mut commands = VecDeque::with_capacity(2 * queries.len());
        for ChangesQuery { name, uids, since } in queries {
            let examine = Command::new("EXAMINE").mailbox(name);
            let examine = condstore.iter().fold(examine, |command, it| command.raw(it));
            commands.push_back(self.link.send(&examine).await?);
            let modifiers = format!("(CHANGEDSINCE {since}{vanished})");
            let fetch = Command::new("UID FETCH").uids(uids).raw(items).raw(&modifiers);
            commands.push_back(self.link.send(&fetch).await?);
        }
        Ok(commands)
    }
}

/// Answers for the current mailbox.
#[derive(Default)]
struct MailboxAnswers {
    data: MailboxData,
    /// Outcome of EXAMINE; `None` until it is answered.
    opened: Option<Result<(), Error>>,
    exists: u32,
    vanished: UidSet,
}

impl MailboxAnswers {
    fn is_open(&self) -> bool {
        matches!(self.opened, Some(Ok(())))
    }

    fn observe(&mut self, untagged: Untagged) {
        if self.opened.is_none() {
            if !matches!(untagged, Untagged::Fetch(_) | Untagged::Vanished { .. }) {
                self.data.observe(untagged);
            }
            return;
        }
        match untagged {
            Untagged::Exists(number) => self.exists = number,
            Untagged::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            Untagged::Vanished { earlier, uids } => {
                if !earlier {
                    let gone = u32::try_from(uids.len()).unwrap_or(u32::MAX);
                    self.exists = self.exists.saturating_sub(gone);
                }
                uids.ranges().for_each(|(first, last)| self.vanished.insert_range(first, last));
            }
            _ => {}
        }
    }

    /// Takes the end of a command: first EXAMINE, then UID FETCH. Returns the mailbox after UID FETCH.
    fn ended(&mut self, status: &StatusResponse) -> Option<Result<ChangedMailbox, Error>> {
        let verb = if self.opened.is_none() { "EXAMINE" } else { "UID FETCH" };
        // A partial answer (RFC 9738) lacks changes.
        let is_whole = !matches!(status.code, Some(Code::MessageLimit { .. }));
        let outcome = if status.status == Status::Ok && is_whole {
            Ok(())
        } else {
            Err(Error::refused(verb, status).at_least(Scope::Folder))
        };
        let Some(opened) = self.opened.take() else {
            (self.exists, self.data.read_only) = (self.data.exists, true);
            self.opened = Some(outcome);
            return None;
        };
        let Self { data, exists, vanished, .. } = std::mem::take(self);
        Some(opened.and(outcome).map(|()| ChangedMailbox { data, exists, vanished }))
    }
}
