//! RENAME (RFC 9051, section 6.3.6) and DELETE (section 6.3.5).

use mailhaul_mail::Scope;

use crate::{encode::Command, error::Error, mailbox_name::MailboxName, session::Session};

impl Session {
    /// Renames a mailbox and the mailboxes below it.
    pub async fn rename(&mut self, from: &MailboxName, to: &MailboxName) -> Result<(), Error> {
        let command = Command::new("RENAME").mailbox(from).mailbox(to);
        self.link.execute("RENAME", &command).await.map(drop).map_err(|error| error.at_least(Scope::Folder))
    }

    /// Deletes a mailbox with all its messages.
    pub async fn delete(&mut self, name: &MailboxName) -> Result<(), Error> {
        self.name_many("DELETE", std::slice::from_ref(name)).await?.pop().unwrap_or(Ok(()))
    }
}
