//! SUBSCRIBE and UNSUBSCRIBE (RFC 9051, sections 6.3.7 and 6.3.8).

use crate::{error::Error, mailbox_name::MailboxName, session::Session};

impl Session {
    /// Subscribes to a mailbox.
    pub async fn subscribe(&mut self, name: &MailboxName) -> Result<(), Error> {
        self.subscribe_many(std::slice::from_ref(name)).await?.pop().unwrap_or(Ok(()))
    }

    /// Subscribes to several mailboxes at once. The results are in the order of the names.
    pub async fn subscribe_many(&mut self, names: &[MailboxName]) -> Result<Vec<Result<(), Error>>, Error> {
        self.name_many("SUBSCRIBE", names).await
    }

    /// Unsubscribes from a mailbox.
    pub async fn unsubscribe(&mut self, name: &MailboxName) -> Result<(), Error> {
        self.name_many("UNSUBSCRIBE", std::slice::from_ref(name)).await?.pop().unwrap_or(Ok(()))
    }
}
