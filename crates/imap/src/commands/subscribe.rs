//! SUBSCRIBE (RFC 9051, section 6.3.7).

use mailhaul_mail::Scope;

use crate::{encode::Command, error::Error, mailbox_name::MailboxName, session::Session};

impl Session {
    /// Shows the mailbox to the user.
    pub async fn subscribe(&mut self, name: &MailboxName) -> Result<(), Error> {
        let command = Command::new("SUBSCRIBE").mailbox(name);
        self.link.order("SUBSCRIBE", &command).await.map(drop).map_err(|error| error.at_least(Scope::Folder))
    }
}
