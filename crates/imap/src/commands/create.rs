//! CREATE (RFC 9051, section 6.3.4).

use mailhaul_mail::Scope;

use crate::{encode::Command, error::Error, mailbox_name::MailboxName, session::Session};

impl Session {
    /// Creates a mailbox.
    ///
    /// If it exists, the error is [`AlreadyExists`](crate::ErrorKind::AlreadyExists), provided that the answer is recognized.
    pub async fn create(&mut self, name: &MailboxName) -> Result<(), Error> {
        self.create_many(std::slice::from_ref(name)).await?.pop().unwrap_or(Ok(()))
    }

    /// Creates several mailboxes at once. The results are in the order of the names.
    pub async fn create_many(&mut self, names: &[MailboxName]) -> Result<Vec<Result<(), Error>>, Error> {
        self.name_many("CREATE", names).await
    }

    /// Runs the same command for several mailboxes at once.
    pub(super) async fn name_many(
        &mut self,
        word: &'static str,
        names: &[MailboxName],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let commands: Vec<(&str, Command)> =
            names.iter().map(|name| (word, Command::new(word).mailbox(name))).collect();
        let ended = self.link.run_many(&commands, |_| {}).await?;
        let outcome = |it: Result<_, Error>| it.map(drop).map_err(|error| error.at_least(Scope::Folder));
        Ok(ended.into_iter().map(outcome).collect())
    }
}
