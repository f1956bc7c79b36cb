//! CREATE (RFC 9051, section 6.3.4).

use mailhaul_mail::Scope;

use crate::{encode::Command, error::Error, mailbox_name::MailboxName, session::Session};

impl Session {
    /// Makes a mailbox. That it exists already is an error of kind
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists), where the server says so in a way that is known.
    pub async fn create(&mut self, name: &MailboxName) -> Result<(), Error> {
        let command = Command::new("CREATE").mailbox(name);
        self.link.order("CREATE", &command).await.map(drop).map_err(|error| error.at_least(Scope::Folder))
    }
}
