//! ENABLE (RFC 5161).

use super::plain_items;
use crate::{encode::Command, error::Error, session::Session};

impl Session {
    /// Switches on those extensions that the server offers. Must come before the first SELECT.
    ///
    /// [`Session::has_enabled`] shows the result. Some servers enable an extension without confirming it.
    pub async fn enable(&mut self, extensions: &[&str]) -> Result<(), Error> {
        match self.enable_command(extensions)? {
            Some(command) => self.link.execute("ENABLE", &command).await.map(drop),
            None => Ok(()),
        }
    }

    pub(super) fn enable_command(&self, extensions: &[&str]) -> Result<Option<Command>, Error> {
        let wanted: Vec<&str> =
            extensions.iter().copied().filter(|extension| self.link.has(extension)).collect();
        if wanted.is_empty() || !(self.link.has("ENABLE") || self.link.has("IMAP4rev2")) {
            return Ok(None);
        }
        let words = wanted.join(" ");
        plain_items(&words)?;
        Ok(Some(Command::new("ENABLE").raw(&words)))
    }
}
