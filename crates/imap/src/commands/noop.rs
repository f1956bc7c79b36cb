//! NOOP (RFC 9051, section 6.1.2).

use crate::{encode::Command, error::Error, session::Session};

impl Session {
    /// Keeps the connection alive, and lets the server report changes.
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.link.execute("NOOP", &Command::new("NOOP")).await.map(drop)
    }
}
