//! ENABLE (RFC 5161).

use super::plain_items;
use crate::{encode::Command, error::Error, session::Session};

impl Session {
    /// Switches extensions on, those of them that the server offers; before the first SELECT. What the server says is
    /// on then, see [`Session::has_enabled`]; some servers do it and do not say it.
    pub async fn enable(&mut self, extensions: &[&str]) -> Result<(), Error> {
        let wanted: Vec<&str> = extensions.iter().copied().filter(|it| self.link.has(it)).collect();
        if wanted.is_empty() || !(self.link.has("ENABLE") || self.link.has("IMAP4rev2")) {
            return Ok(());
        }
        let words = wanted.join(" ");
        plain_items(&words)?;
        self.link.order("ENABLE", &Command::new("ENABLE").raw(&words)).await.map(drop)
    }
}
