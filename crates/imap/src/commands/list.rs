//! LIST (RFC 9051, section 6.3.9; RFC 5258, RFC 5819, RFC 6154), LSUB, and XLIST, the predecessor of SPECIAL-USE.

use std::collections::HashMap;

use bytes::Bytes;
use mailhaul_mail::{Retry, Scope};

use super::{StatusItem, status::status_items};
use crate::{
    encode::Command,
    error::{Error, ErrorKind},
    mailbox_name::MailboxName,
    response::{ListItem, StatusItems, Untagged},
    session::Session,
};

/// Maximum number of mailboxes. Bounds the memory for a listing.
const MAX_MAILBOXES: usize = 500_000;
/// Maximum number of attributes of a mailbox.
const MAX_ATTRIBUTES: usize = 64;

/// Arguments of LIST. By default all mailboxes, with all extended data except STATUS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Reference name; usually empty.
    pub reference: MailboxName,
    /// Pattern on the wire; `*` matches everything, `%` everything within one level.
    pub pattern: Vec<u8>,
    /// Items of STATUS, if the server supports LIST-STATUS (RFC 5819).
    pub status: Vec<StatusItem>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { reference: MailboxName::from_wire(""), pattern: b"*".to_vec(), status: Vec::new() }
    }
}

/// Mailbox, with its status if that was requested and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMailbox {
    /// Data from LIST.
    pub item: ListItem,
    /// Data from STATUS.
    pub status: Option<StatusItems>,
}

impl Session {
    /// True if LIST reports subscriptions (as `\Subscribed`). Otherwise use [`Session::lsub`].
    pub fn list_tells_subscriptions(&self) -> bool {
        self.link.state().lists_extended()
    }

    /// Lists mailboxes, each once.
    pub async fn list(&mut self, query: &ListQuery) -> Result<Vec<ListedMailbox>, Error> {
        let plain = Command::new("LIST").mailbox(&query.reference).astring(&query.pattern);
        let Some(options) = self.return_options(query) else { return self.run_list("LIST", &plain).await };
        match self.run_list("LIST", &plain.clone().raw(&options)).await {
            Err(error) if error.kind == ErrorKind::Refused => {
                // The server offers RETURN, but refuses it.
                self.link.state_mut().refuses_list_return = true;
                self.run_list("LIST", &plain).await
            }
            outcome => outcome,
        }
    }

    /// Lists subscribed mailboxes. They may not exist.
    pub async fn lsub(&mut self, query: &ListQuery) -> Result<Vec<ListItem>, Error> {
        let command = Command::new("LSUB").mailbox(&query.reference).astring(&query.pattern);
        let found = self.run_list("LSUB", &command).await?;
        Ok(found.into_iter().map(|listed| listed.item).collect())
    }

    /// True if only XLIST reports special uses.
    pub fn needs_xlist(&self) -> bool {
        let state = self.link.state();
        state.has("XLIST") && !state.has("SPECIAL-USE") && !state.has("IMAP4rev2")
    }

    /// Lists mailboxes with XLIST, which reports `\Sent`, `\Spam` and others.
    ///
    /// INBOX may have a name in the user's language here, so names must be taken from LIST.
    pub async fn xlist(&mut self, query: &ListQuery) -> Result<Vec<ListItem>, Error> {
        let command = Command::new("XLIST").mailbox(&query.reference).astring(&query.pattern);
        let found = self.run_list("XLIST", &command).await?;
        Ok(found.into_iter().map(|listed| listed.item).collect())
    }

    /// Returns the options that the server offers; `None` if it does not support RETURN.
    fn return_options(&self, query: &ListQuery) -> Option<String> {
        let state = self.link.state();
        if !state.lists_extended() {
            return None;
        }
        let is_rev2 = state.has("IMAP4rev2");
        let mut options = vec!["SUBSCRIBED".to_owned(), "CHILDREN".to_owned()];
        if is_rev2 || state.has("SPECIAL-USE") {
            options.push("SPECIAL-USE".to_owned());
        }
        if !query.status.is_empty() && (is_rev2 || state.has("LIST-STATUS")) {
            options.push(format!("STATUS {}", status_items(&state.capabilities, &query.status)));
        }
        Some(format!("RETURN ({})", options.join(" ")))
    }

    /// Returns LIST with the options that the server offers, for a pipeline of commands.
    pub(super) fn list_command(&self, query: &ListQuery) -> Command {
        let plain = Command::new("LIST").mailbox(&query.reference).astring(&query.pattern);
        self.return_options(query).iter().fold(plain, |command, options| command.raw(options))
    }

    async fn run_list(&mut self, name: &str, command: &Command) -> Result<Vec<ListedMailbox>, Error> {
        let mut listing = Listing::default();
        let outcome = self.link.run(name, command, |untagged| listing.take(name, untagged)).await;
        outcome.map_err(|error| error.at_least(Scope::Folder))?;
        listing.conclude(name)
    }
}

/// Answers to one LIST, LSUB or XLIST.
#[derive(Default)]
pub(super) struct Listing {
    found: Vec<ListedMailbox>,
    places: HashMap<MailboxName, usize>,
    statuses: Vec<(MailboxName, StatusItems)>,
    too_many: bool,
    /// A line that cannot be decoded.
    odd: Option<Bytes>,
}

impl Listing {
    /// Takes an answer. `name` is the name of the command.
    pub(super) fn take(&mut self, name: &str, untagged: Untagged) {
        match untagged {
            Untagged::List(mut item) | Untagged::Lsub(mut item) => {
                item.attributes.truncate(MAX_ATTRIBUTES);
                self.too_many |= self.found.len() >= MAX_MAILBOXES;
                if self.too_many {
                    return;
                }
                let place = *self.places.entry(item.name.clone()).or_insert(self.found.len());
                match self.found.get_mut(place) {
                    // Some servers list INBOX twice.
                    Some(known) => {
                        item.attributes.retain(|attribute| !known.item.attributes.contains(attribute));
                        known.item.attributes.extend(item.attributes);
                        known.item.attributes.truncate(MAX_ATTRIBUTES);
                    }
                    None => self.found.push(ListedMailbox { item, status: None }),
                }
            }
            Untagged::MailboxStatus { name, items } if self.statuses.len() < MAX_MAILBOXES => {
                self.statuses.push((name, items));
            }
            Untagged::Unknown(line) if is_of(name, &line) => self.odd = Some(line),
            _ => {}
        }
    }

    /// Returns the mailboxes at the end of the command.
    pub(super) fn conclude(self, name: &str) -> Result<Vec<ListedMailbox>, Error> {
        let Self { mut found, places, statuses, too_many, odd } = self;
        if too_many {
            let words = format!("{name}: more than {MAX_MAILBOXES} mailboxes");
            return Err(Error::session(ErrorKind::Protocol, words));
        }
        if let Some(line) = odd {
            // Skipping the line would lose a mailbox with all its messages.
            let words = format!(
                "{name}: a line cannot be understood: {}",
                String::from_utf8_lossy(&line).escape_debug()
            );
            let error = Error::session(ErrorKind::Protocol, words);
            return Err(Error { scope: Scope::Endpoint, retry: Retry::Never, ..error });
        }
        for (name, items) in statuses {
            if let Some(listed) = places.get(&name).and_then(|place| found.get_mut(*place)) {
                listed.status = Some(items);
            }
        }
        Ok(found)
    }
}

/// True if the line begins like an answer to this command.
fn is_of(name: &str, line: &[u8]) -> bool {
    line.split(|octet| *octet == b' ').next().is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}
