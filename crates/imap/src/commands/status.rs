//! STATUS (RFC 9051, section 6.3.11).

use std::collections::HashMap;

use mailhaul_mail::Scope;

use crate::{
    capability::Capabilities,
    driver::PipelineEvent,
    encode::Command,
    error::{Error, ErrorKind},
    mailbox_name::MailboxName,
    response::{Status, StatusItems, Untagged},
    session::Session,
};

/// Item of STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFCs' own")]
pub enum StatusItem {
    Messages,
    UidNext,
    UidValidity,
    Unseen,
    /// CONDSTORE (RFC 7162).
    HighestModSeq,
    /// STATUS=SIZE (RFC 8438).
    Size,
    /// OBJECTID (RFC 8474).
    MailboxId,
    /// APPENDLIMIT (RFC 7889).
    AppendLimit,
}

impl StatusItem {
    /// Word on the wire; `None` if the server does not support it.
    fn word(self, capabilities: &Capabilities) -> Option<&'static str> {
        let (word, offered) = match self {
            Self::Messages => ("MESSAGES", true),
            Self::UidNext => ("UIDNEXT", true),
            Self::UidValidity => ("UIDVALIDITY", true),
            Self::Unseen => ("UNSEEN", true),
            Self::HighestModSeq => {
                ("HIGHESTMODSEQ", capabilities.has("CONDSTORE") || capabilities.has("QRESYNC"))
            }
            Self::Size => ("SIZE", capabilities.has("STATUS=SIZE") || capabilities.has("IMAP4rev2")),
            Self::MailboxId => ("MAILBOXID", capabilities.has("OBJECTID")),
            Self::AppendLimit => {
                let has = capabilities.has("APPENDLIMIT") || capabilities.append_limit().is_some();
                ("APPENDLIMIT", has)
            }
        };
        if offered { Some(word) } else { None }
    }
}

/// Returns the items in parentheses, without those that the server does not support.
pub(super) fn status_items(capabilities: &Capabilities, items: &[StatusItem]) -> String {
    let words: Vec<&str> = items.iter().filter_map(|item| item.word(capabilities)).collect();
    // The grammar has no empty list.
    if words.is_empty() { "(MESSAGES)".to_owned() } else { format!("({})", words.join(" ")) }
}

impl Session {
    /// Requests the status of several mailboxes at once. The results are in the order of the names.
    pub async fn status_many(
        &mut self,
        names: &[MailboxName],
        items: &[StatusItem],
    ) -> Result<Vec<Result<StatusItems, Error>>, Error> {
        let items = status_items(&self.link.state().capabilities, items);
        let mut answer: HashMap<MailboxName, StatusItems> = HashMap::new();
        // The last answer with an unknown name: the server may spell a name differently.
        let mut stray = None;
        let mut outcomes: Vec<Option<Result<StatusItems, Error>>> = names.iter().map(|_| None).collect();
        let commands = names.iter().map(|name| Command::new("STATUS").mailbox(name).raw(&items));
        let observe = |event: PipelineEvent<'_>| match event {
            PipelineEvent::Untagged(Untagged::MailboxStatus { name, items }, in_flight) => {
                if in_flight.values().any(|index| names[*index] == name) {
                    answer.insert(name, items);
                } else {
                    stray = Some(items);
                }
            }
            PipelineEvent::Untagged(..) => {}
            PipelineEvent::Ended(index, status) => {
                outcomes[index] = Some(if status.status == Status::Ok {
                    let items = answer.remove(&names[index]).or_else(|| stray.take());
                    items.ok_or_else(|| silent(&names[index]))
                } else {
                    Err(Error::refused("STATUS", &status).at_least(Scope::Folder))
                });
                stray = None;
            }
        };
        self.link.pipeline(commands, observe).await?;
        Ok(outcomes
            .into_iter()
            .zip(names)
            .map(|(it, name)| it.unwrap_or_else(|| Err(silent(name))))
            .collect())
    }
}

fn silent(name: &MailboxName) -> Error {
    let words = format!("STATUS: the server answered OK without data about {name}");
    Error { scope: Scope::Folder, ..Error::session(ErrorKind::Protocol, words) }
}
