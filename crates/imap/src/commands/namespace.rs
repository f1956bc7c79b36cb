//! NAMESPACE (RFC 2342).

use crate::{
    encode::Command,
    error::Error,
    response::{Namespaces, Untagged},
    session::Session,
};

impl Session {
    /// Returns the namespaces; `None` if the server sends none.
    pub async fn namespace(&mut self) -> Result<Option<Namespaces>, Error> {
        let Some(command) = self.namespace_command() else { return Ok(None) };
        let mut answer = None;
        let collect = |untagged| {
            if let Untagged::Namespace(namespaces) = untagged {
                answer = Some(namespaces);
            }
        };
        self.link.run("NAMESPACE", &command, collect).await?;
        Ok(answer)
    }

    pub(super) fn namespace_command(&self) -> Option<Command> {
        let is_known = self.link.has("NAMESPACE") || self.link.has("IMAP4rev2");
        if is_known { Some(Command::new("NAMESPACE")) } else { None }
    }
}
