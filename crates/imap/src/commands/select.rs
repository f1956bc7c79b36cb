//! SELECT and EXAMINE (RFC 9051, sections 6.3.2 and 6.3.3; CONDSTORE and QRESYNC are RFC 7162).

use mailhaul_mail::{ModSeq, Scope, UidSet, UidValidity};

use crate::{
    driver::{MailboxData, SelectedState},
    encode::Command,
    error::Error,
    mailbox_name::MailboxName,
    response::{Code, Untagged},
    selected::Selected,
    session::Session,
};

/// Parameters of SELECT. Those that the server does not offer are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectOptions {
    /// Request mod-sequences.
    pub condstore: bool,
    /// Earlier state, for changes since then. Requires ENABLE QRESYNC.
    pub qresync: Option<Qresync>,
}

/// Earlier state of a mailbox (RFC 7162, section 3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qresync {
    /// Earlier UIDVALIDITY. If it changed, the server sends no changes.
    pub validity: UidValidity,
    /// Earlier HIGHESTMODSEQ.
    pub modseq: ModSeq,
    /// UIDs whose changes are requested; `None` for all.
    pub known: Option<UidSet>,
}

impl Session {
    /// Selects a mailbox.
    pub async fn select(
        &mut self,
        name: &MailboxName,
        options: &SelectOptions,
    ) -> Result<Selected<'_>, Error> {
        self.open("SELECT", name, options).await
    }

    /// Selects a mailbox read-only.
    pub async fn examine(
        &mut self,
        name: &MailboxName,
        options: &SelectOptions,
    ) -> Result<Selected<'_>, Error> {
        self.open("EXAMINE", name, options).await
    }

    async fn open(
        &mut self,
        verb: &str,
        name: &MailboxName,
        options: &SelectOptions,
    ) -> Result<Selected<'_>, Error> {
        let command = Command::new(verb).mailbox(name);
        let command = self.parameters(options).iter().fold(command, |command, it| command.raw(it));
        self.link.drain_abandoned().await?;
        // A refusal unselects too (RFC 9051, section 6.3.2).
        self.link.state_mut().selected = None;
        let mut data = MailboxData::default();
        // Changed messages are expected only with QRESYNC. Other data about messages is not kept.
        let wants_changes = options.qresync.is_some();
        let observe = |untagged| match untagged {
            Untagged::Fetch(_) | Untagged::Vanished { .. } if !wants_changes => {}
            untagged => data.observe(untagged),
        };
        let outcome = self.link.run(verb, &command, observe).await;
        let status = outcome.map_err(|error| error.at_least(Scope::Folder))?;
        data.read_only = verb == "EXAMINE" || status.code == Some(Code::ReadOnly);
        self.link.state_mut().selected = Some(Box::new(SelectedState { name: name.clone(), data }));
        Ok(Selected { session: self })
    }

    pub(super) fn parameters(&self, options: &SelectOptions) -> Option<String> {
        let state = self.link.state();
        match &options.qresync {
            // A long set would make the line too long. Without it, the server sends all changes.
            Some(Qresync { validity, modseq, known }) if state.has_enabled("QRESYNC") && modseq.0 > 0 => {
                let known =
                    known.as_ref().map(ToString::to_string).filter(|known| (1..4000).contains(&known.len()));
                let known = known.map(|known| format!(" {known}")).unwrap_or_default();
                Some(format!("(QRESYNC ({validity} {modseq}{known}))"))
            }
            _ if options.condstore && (state.has("CONDSTORE") || state.has("QRESYNC")) => {
                Some("(CONDSTORE)".to_owned())
            }
            _ => None,
        }
    }
}
